// Safe: a message is written through `ByteWriter`, which checks every bound, into an array that is as long as what it wrote.

/// Writes the TURN server's answers.
enum TURNReply {
    /// Longer than any of them.
    private static let capacity = 512

    /// - Parameter body: writes the attributes that come before the integrity.
    static func message(
        _ messageClass: STUNClass, to request: TURNMessage, key: HMACSHA1Key?,
        _ body: (inout STUNMessageWriter) throws(WireError) -> Void
    ) -> [UInt8] {
        var space = [UInt8](repeating: 0, count: capacity)
        let count = unsafe space.withUnsafeMutableBytes { buffer in
            do throws(WireError) {
                var message = unsafe try STUNMessageWriter(
                    ByteWriter(buffer), class: messageClass, method: request.method,
                    transactionID: request.transactionID)
                try body(&message)
                if let key { try message.appendMessageIntegrity(key) }
                return message.finish().count
            } catch {
                assertionFailure("an answer of TURN that is too long")
                return 0
            }
        }
        return Array(space[..<count])
    }

    static func error(
        _ code: UInt16, to request: TURNMessage, key: HMACSHA1Key? = nil,
        challenge: (realm: String, nonce: String)? = nil
    ) -> [UInt8] {
        message(.error, to: request, key: key) { message throws(WireError) in
            try message.appendErrorCode(code, reason: reason(code))
            if let challenge {
                try message.append(.realm, text: challenge.realm)
                try message.append(.nonce, text: challenge.nonce)
            }
            if code == 420 { try message.appendUnknownAttributes(request.unknownRequired) }
        }
    }

    /// RFC 8656 §19, RFC 8489 §14.8.
    private static func reason(_ code: UInt16) -> String {
        switch code {
        case 401: "Unauthenticated"
        case 403: "Forbidden"
        case 420: "Unknown Attribute"
        case 437: "Allocation Mismatch"
        case 438: "Stale Nonce"
        case 440: "Address Family not Supported"
        case 441: "Wrong Credentials"
        case 442: "Unsupported Transport Protocol"
        case 443: "Peer Address Family Mismatch"
        case 486: "Allocation Quota Reached"
        case 508: "Insufficient Capacity"
        default: "Bad Request"
        }
    }
}
