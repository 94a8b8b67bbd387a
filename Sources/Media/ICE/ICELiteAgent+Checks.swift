// Safe: messages are read through `STUNMessage` and views whose bounds were checked, and nothing outlives the call.

extension ICELiteAgent {
    /// A STUN message came in: checks it, writes the answer and takes note of the tuple.
    ///
    /// - Parameters:
    ///   - bytes: the whole datagram.
    ///   - remote: the address the client's packets come from, which the answer contains.
    ///   - reply: gets the response appended; 256 bytes are enough for any.
    mutating func bindingRequestReceived(
        _ bytes: UnsafeRawBufferPointer, on tuple: TupleID, from remote: IPAddressPort, at now: MediaInstant,
        reply: inout ByteWriter
    ) -> BindingRequestAction {
        do {
            return unsafe bindingRequestReceived(
                try STUNMessage(parsing: bytes), on: tuple, from: remote, at: now, reply: &reply)
        } catch {
            return .ignored(.malformed(error))
        }
    }

    /// As above, for a message that the caller has parsed.
    mutating func bindingRequestReceived(
        _ message: STUNMessage, on tuple: TupleID, from remote: IPAddressPort, at now: MediaInstant,
        reply: inout ByteWriter
    ) -> BindingRequestAction {
        if case .closed = machine { return .ignored(.closed) }
        guard message.messageClass == .request else { return .ignored(.notARequest) }
        let start = reply.count
        do {
            switch verdict(on: message) {
            case .refused(let code, let key):
                try writeError(code, to: message, key: key, into: &reply)
                return .rejected(code: code)
            case .accepted(let key, let isCurrent):
                try writeSuccess(to: message, from: remote, key: key, into: &reply)
                if isCurrent { currentCredentialsUsed() }
            }
        } catch {
            reply.truncate(to: start)
            return .ignored(.noSpace)
        }
        checkAccepted(on: tuple, nominates: message.hasUseCandidate, nomination: message.nomination, at: now)
        return message.priority == nil ? .succeededWithoutPriority : .succeeded
    }

    private enum Verdict {
        case accepted(HMACSHA1Key, isCurrent: Bool)
        /// With the key to protect the answer by, if the request was authenticated.
        case refused(code: UInt16, HMACSHA1Key?)
    }

    private func verdict(on message: STUNMessage) -> Verdict {
        // RFC 8445 §7.1.1, §7.2.2: FINGERPRINT and PRIORITY are in every check. A lite agent never needs the priority, and
        // ffmpeg 8.0 sends none.
        guard message.method == STUNMessage.bindingMethod, message.hasFingerprint else {
            return .refused(code: 400, nil)
        }
        // RFC 8489 §9.1.3.
        guard message.messageIntegrityOffset != nil, let username = unsafe message.username else {
            return .refused(code: 400, nil)
        }
        let key: HMACSHA1Key
        let isCurrent = unsafe current.authenticates(message, username)
        if isCurrent {
            key = current.key
        } else if let previous, unsafe previous.authenticates(message, username) {
            key = previous.key
        } else {
            return .refused(code: 401, nil)
        }
        guard message.unknownRequired.isEmpty else { return .refused(code: 420, key) }
        // RFC 8445 §7.3.1.1: a lite agent is controlled, so a client that thinks the same must switch.
        guard message.controlled == nil else { return .refused(code: 487, key) }
        return .accepted(key, isCurrent: isCurrent)
    }

    private func writeSuccess(
        to request: STUNMessage, from remote: IPAddressPort, key: HMACSHA1Key, into reply: inout ByteWriter
    ) throws(WireError) {
        var response = try STUNMessageWriter(reply, class: .success, transactionID: request.transactionID)
        try response.appendXORMappedAddress(remote)
        try response.appendMessageIntegrity(key)
        try response.appendFingerprint()
        reply = response.finish()
    }

    private func writeError(
        _ code: UInt16, to request: STUNMessage, key: HMACSHA1Key?, into reply: inout ByteWriter
    ) throws(WireError) {
        var response = try STUNMessageWriter(
            reply, class: .error, method: request.method, transactionID: request.transactionID)
        switch code {
        case 401: try response.appendErrorCode(code, reason: "Unauthorized")
        case 420:
            try response.appendErrorCode(code, reason: "Unknown Attribute")
            try response.appendUnknownAttributes(request.unknownRequired)
        case 487: try response.appendErrorCode(code, reason: "Role Conflict")
        default: try response.appendErrorCode(code, reason: "Bad Request")
        }
        if let key { try response.appendMessageIntegrity(key) }
        try response.appendFingerprint()
        reply = response.finish()
    }

    /// The local part of a binding request's USERNAME, before the colon: by it a shard finds the transport of a client
    /// whose address it has not seen. Authenticates nothing, and refers to `bytes`.
    static func localUsernameFragment(of bytes: UnsafeRawBufferPointer) -> UnsafeRawBufferPointer? {
        guard bytes.count >= STUNMessage.headerLength, unsafe bytes.uint16(provenAt: 0) == STUNMessage.bindingMethod,
            unsafe bytes.uint32(provenAt: 4) == STUNMessage.magicCookie
        else { return nil }
        var attributes = unsafe STUNAttributeIterator(bytes)
        for _ in 0..<STUNMessage.maximumAttributes {
            guard let attribute = (try? attributes.next()) ?? nil else { return nil }
            guard attribute.type == .username else { continue }
            guard let colon = unsafe attribute.value.firstIndex(of: UInt8(ascii: ":")) else { return nil }
            return unsafe attribute.value.view(from: 0, count: colon)
        }
        return nil
    }
}

extension ICELiteAgent.LocalCredentials {
    /// Whether USERNAME starts with our fragment and a colon (RFC 8445 §7.2.2), and our password made the integrity.
    func authenticates(_ message: STUNMessage, _ username: UnsafeRawBufferPointer) -> Bool {
        let fragment = usernameFragment.utf8
        guard username.count > fragment.count, unsafe username[fragment.count] == UInt8(ascii: ":"),
            unsafe zip(username, fragment).allSatisfy(==)
        else { return false }
        return message.isAuthenticated(by: key)
    }
}
