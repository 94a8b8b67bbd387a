// Safe: messages are read while their arrays are held.

/// The TURN server's side of one client's connection, or of its address over UDP: RFC 8656 as browsers use it.
///
///     waiting ──Allocate──> allocated ──Refresh of 0, or its time is over──> waiting ──`TURNLimits.patience`──> over
///
/// Feed it what the reader finds and the deadlines; what every client shares is in `TURNServer`.
package struct TURNSession {
    /// RFC 8656 §12 ends them at 0x4FFF, where clients of RFC 5766 have more: nothing else comes by these connections that the others
    /// could be taken for.
    static let channelNumbers: ClosedRange<UInt16> = 0x4000...0x7FFE
    /// REQUESTED-TRANSPORT.
    private static let udp: UInt8 = 17

    /// What is to be done about a message.
    package enum Outcome: Equatable {
        case reply([UInt8])
        /// A part of the message goes to one of the server's media addresses.
        case relay(peer: IPAddressPort, shard: Int, Range<Int>)
        case nothing
    }

    /// When, in the media plane's time and in seconds since 1970.
    package struct Time: Sendable {
        package var now: MediaInstant
        package var unix: Int64

        package init(now: MediaInstant, unix: Int64) {
            self.now = now
            self.unix = unix
        }
    }

    private let client: IPAddressPort
    private var allocation: TURNAllocation?
    private var waitsUntil: MediaInstant
    private var indications: UInt64 = 0

    /// - Parameter client: its address as it is seen here.
    package init(client: IPAddressPort, at now: MediaInstant) {
        self.client = client
        waitsUntil = now + TURNLimits.patience
    }

    package var isAllocated: Bool { allocation != nil }
    /// Whom the allocation's credential was made for.
    package var holder: String? { allocation.map { TURNCredential.holder(of: $0.username) } }
    package var relayed: IPAddressPort? { allocation?.relayed }
    /// When something is over.
    package var nextDeadline: MediaInstant { allocation?.until ?? waitsUntil }

    // MARK: Input

    /// Whether a STUN message asks for an answer (RFC 8489 §5: both bits of its class are zero).
    package static func isRequest(_ message: [UInt8]) -> Bool {
        message.count > 1 && message[0] & 0x01 == 0 && message[1] & 0x10 == 0
    }

    /// - Returns: whether the session is over.
    package mutating func deadlineReached(_ now: MediaInstant, _ server: inout TURNServer) -> Bool {
        guard let allocation else { return waitsUntil <= now }
        if allocation.until <= now { release(now, &server) }
        return false
    }

    /// Ends the allocation, if there is one.
    package mutating func release(_ now: MediaInstant, _ server: inout TURNServer) {
        guard let allocation else { return }
        server.release(allocation.relayed.port, of: allocation.username)
        self.allocation = nil
        waitsUntil = now + TURNLimits.patience
    }

    /// A STUN message came.
    package mutating func received(_ bytes: [UInt8], at time: Time, _ server: inout TURNServer) -> Outcome {
        unsafe bytes.withUnsafeBytes { bytes in
            guard let message = unsafe try? TURNMessage(parsing: bytes) else {
                server.count(.malformed)
                return .nothing
            }
            switch (message.messageClass, message.method) {
            case (.request, STUNMessage.bindingMethod):
                return .reply(
                    TURNReply.message(.success, to: message, key: nil) { reply throws(WireError) in
                        try reply.appendXORMappedAddress(client)
                    })
            case (.request, TURNMessage.Method.allocate), (.request, TURNMessage.Method.refresh),
                (.request, TURNMessage.Method.createPermission), (.request, TURNMessage.Method.channelBind):
                return unsafe .reply(answer(message, bytes, time, &server))
            case (.request, _): return .reply(TURNReply.error(400, to: message))
            case (.indication, TURNMessage.Method.send): return send(message, time.now, &server)
            default:
                server.count(.malformed)
                return .nothing
            }
        }
    }

    /// A frame of channel data came.
    /// - Returns: where it goes; `nil` if nowhere.
    package func received(channel number: UInt16, at now: MediaInstant) -> (peer: IPAddressPort, shard: Int)? {
        guard let allocation, allocation.until > now, let channel = allocation.channel(number, at: now),
            let shard = channel.shard, allocation.permits(channel.peer, at: now)
        else { return nil }
        return (channel.peer, shard)
    }

    private func send(_ message: TURNMessage, _ now: MediaInstant, _ server: inout TURNServer) -> Outcome {
        guard message.peers.count == 1, let peer = message.peers.first, let data = message.data,
            message.unknownRequired.isEmpty, data.count <= TURNLimits.longestPayload
        else {
            server.count(.malformed)
            return .nothing
        }
        guard let allocation, allocation.until > now, allocation.permits(peer, at: now),
            let shard = server.peers.shard(at: peer)
        else {
            server.count(.unpermitted)
            return .nothing
        }
        return .relay(peer: peer, shard: shard, data)
    }

    // MARK: Output

    /// What comes before a peer's packet on its way to the client, and how many bytes of zero come behind it.
    /// - Returns: `nil` if the client may not get it.
    package mutating func envelope(
        of length: Int, from peer: IPAddressPort, isStream: Bool, at now: MediaInstant
    ) -> (header: [UInt8], padding: Int)? {
        guard let allocation, allocation.until > now, allocation.permits(peer, at: now) else { return nil }
        let padding = (4 - length % 4) % 4
        if let channel = allocation.channel(to: peer, at: now) {
            return (Self.words([channel.number, UInt16(truncatingIfNeeded: length)]), isStream ? padding : 0)
        }
        indications += 1
        let address = Self.xorPeerAddress(peer, indications)
        var header = Self.words([0x0017, UInt16(truncatingIfNeeded: address.count + 4 + length + padding)])
        header += Self.words([0x2112, 0xA442, 0, 0])
        header += (0..<8).map { UInt8(truncatingIfNeeded: indications >> UInt64(56 - 8 * $0)) }
        return (header + address + Self.words([0x0013, UInt16(truncatingIfNeeded: length)]), padding)
    }

    /// The attribute in an indication whose transaction has this number.
    private static func xorPeerAddress(_ peer: IPAddressPort, _ indication: UInt64) -> [UInt8] {
        var words: [UInt16] = [0x0012, peer.family == .ipv4 ? 8 : 20, UInt16(peer.family.rawValue), peer.port ^ 0x2112]
        switch peer.family {
        case .ipv4:
            let address = peer.ipv4 ^ STUNMessage.magicCookie
            words += [UInt16(address >> 16), UInt16(truncatingIfNeeded: address)]
        case .ipv6:
            let mask = STUNTransactionID(high: indication >> 32, low: UInt32(truncatingIfNeeded: indication))
                .addressMask
            for half in [peer.high ^ mask.high, peer.low ^ mask.low] {
                words += (0..<4).map { UInt16(truncatingIfNeeded: half >> UInt64(48 - 16 * $0)) }
            }
        }
        return self.words(words)
    }

    private static func words(_ words: [UInt16]) -> [UInt8] {
        words.flatMap { [UInt8($0 >> 8), UInt8(truncatingIfNeeded: $0)] }
    }

    // MARK: Requests

    private mutating func answer(
        _ message: TURNMessage, _ bytes: UnsafeRawBufferPointer, _ time: Time, _ server: inout TURNServer
    ) -> [UInt8] {
        let challenge = (realm: TURNServer.realm, nonce: server.nonces.make(for: client, at: time.unix))
        guard message.hasIntegrity else { return TURNReply.error(401, to: message, challenge: challenge) }
        guard let username = message.username, message.realm != nil, let nonce = message.nonce else {
            return TURNReply.error(400, to: message)
        }
        guard server.nonces.isGood(nonce, of: client, at: time.unix) else {
            return TURNReply.error(438, to: message, challenge: challenge)
        }
        guard let key = unsafe key(username, of: bytes, server.secrets) else {
            server.count(.credentialsRefused)
            return TURNReply.error(401, to: message, challenge: challenge)
        }
        if let allocation, allocation.username != username { return TURNReply.error(441, to: message, key: key) }
        guard message.unknownRequired.isEmpty else { return TURNReply.error(420, to: message, key: key) }
        if message.method == TURNMessage.Method.allocate { return allocate(message, username, key, time, &server) }
        guard var allocation, allocation.until > time.now else { return TURNReply.error(437, to: message, key: key) }
        let code: UInt16?
        switch message.method {
        case TURNMessage.Method.refresh: return refresh(message, key, time.now, &server)
        case TURNMessage.Method.createPermission: code = permit(message, &allocation, time.now, &server)
        default: code = bind(message, &allocation, time.now, &server)
        }
        if let code { return TURNReply.error(code, to: message, key: key) }
        self.allocation = allocation
        return TURNReply.message(.success, to: message, key: key) { _ throws(WireError) in }
    }

    /// The key that a request was made with; `nil` if it is none of ours.
    private func key(_ username: String, of bytes: UnsafeRawBufferPointer, _ secrets: [Secret]) -> HMACSHA1Key? {
        guard username.utf8.count <= TURNLimits.longestUsername, TURNCredential.expiry(of: username) != nil,
            let message = unsafe try? STUNMessage(parsing: bytes)
        else { return nil }
        if let allocation, allocation.username == username {
            return message.isAuthenticated(by: allocation.key) ? allocation.key : nil
        }
        for secret in secrets {
            let password = TURNCredential.password(of: username, secret)
            let key = TURNCredential.key(username: username, realm: TURNServer.realm, password: password)
            if message.isAuthenticated(by: key) { return key }
        }
        return nil
    }

    private mutating func allocate(
        _ message: TURNMessage, _ username: String, _ key: HMACSHA1Key, _ time: Time, _ server: inout TURNServer
    ) -> [UInt8] {
        if let allocation, allocation.until > time.now {
            guard allocation.transactionID == message.transactionID else {
                return TURNReply.error(437, to: message, key: key)
            }
            return allocated(message, allocation, time.now)
        }
        release(time.now, &server)
        // Whoever has an allocation keeps it; for a new one, the time counts.
        guard let expiry = TURNCredential.expiry(of: username), expiry > time.unix else {
            server.count(.credentialsRefused)
            let challenge = (realm: TURNServer.realm, nonce: server.nonces.make(for: client, at: time.unix))
            return TURNReply.error(401, to: message, challenge: challenge)
        }
        guard let transport = message.requestedTransport,
            !(message.requestedFamily != nil && message.hasAdditionalFamily)
        else { return TURNReply.error(400, to: message, key: key) }
        guard transport == Self.udp else { return TURNReply.error(442, to: message, key: key) }
        guard !message.wantsReservation else { return TURNReply.error(508, to: message, key: key) }
        guard let address = relayedAddress(message.requestedFamily, server.peers) else {
            return TURNReply.error(440, to: message, key: key)
        }
        do throws(TURNServer.Refusal) {
            let port = try server.allocate(for: username, isEven: message.wantsEvenPort)
            let allocation = TURNAllocation(
                username: username, key: key, relayed: address.withPort(port), transactionID: message.transactionID,
                until: time.now + Self.lifetime(message))
            self.allocation = allocation
            server.count(.allocations)
            return allocated(message, allocation, time.now)
        } catch {
            server.count(.allocationsRefused)
            return TURNReply.error(error == .quota ? 486 : 508, to: message, key: key)
        }
    }

    /// - Parameter family: as it was asked for; IPv4 where there is one, otherwise (RFC 8656 §18.6).
    private func relayedAddress(_ family: UInt8?, _ peers: RelayPeers) -> IPAddressPort? {
        guard let family else { return peers.relayedAddress(.ipv4) ?? peers.relayedAddress(.ipv6) }
        return IPAddressPort.Family(rawValue: family).flatMap(peers.relayedAddress)
    }

    private func allocated(_ message: TURNMessage, _ allocation: TURNAllocation, _ now: MediaInstant) -> [UInt8] {
        let left = UInt32(clamping: ((allocation.until - now).milliseconds + 999) / 1_000)
        return TURNReply.message(.success, to: message, key: allocation.key) { reply throws(WireError) in
            try reply.appendXORAddress(.xorRelayedAddress, allocation.relayed)
            try reply.appendXORAddress(.xorMappedAddress, client)
            try reply.append(.lifetime, uint32: left)
            try reply.append(.software, text: TURNServer.software)
        }
    }

    private mutating func refresh(
        _ message: TURNMessage, _ key: HMACSHA1Key, _ now: MediaInstant, _ server: inout TURNServer
    ) -> [UInt8] {
        if let family = message.requestedFamily, family != allocation?.relayed.family.rawValue {
            return TURNReply.error(443, to: message, key: key)
        }
        let lifetime = message.lifetime == 0 ? .zero : Self.lifetime(message)
        if lifetime == .zero { release(now, &server) } else { allocation?.until = now + lifetime }
        return TURNReply.message(.success, to: message, key: key) { reply throws(WireError) in
            try reply.append(.lifetime, uint32: UInt32(lifetime.milliseconds / 1_000))
            try reply.append(.software, text: TURNServer.software)
        }
    }

    /// RFC 8656 §7.2.
    private static func lifetime(_ message: TURNMessage) -> MediaDuration {
        let wanted = min(Int(message.lifetime ?? 0), TURNLimits.longestLifetime)
        return .seconds(max(wanted, TURNLimits.shortestLifetime))
    }

    /// - Returns: the error's code.
    private func permit(
        _ message: TURNMessage, _ allocation: inout TURNAllocation, _ now: MediaInstant, _ server: inout TURNServer
    ) -> UInt16? {
        guard !message.peers.isEmpty else { return 400 }
        guard message.peers.allSatisfy({ $0.family == allocation.relayed.family }) else { return 443 }
        guard message.peers.allSatisfy(server.peers.includes) else {
            server.count(.peersRefused)
            return 403
        }
        return allocation.permit(message.peers, at: now) ? nil : 508
    }

    /// - Returns: the error's code.
    private func bind(
        _ message: TURNMessage, _ allocation: inout TURNAllocation, _ now: MediaInstant, _ server: inout TURNServer
    ) -> UInt16? {
        guard let number = message.channel, Self.channelNumbers.contains(number), message.peers.count == 1 else {
            return 400
        }
        let peer = message.peers[0]
        guard peer.family == allocation.relayed.family else { return 443 }
        guard server.peers.includes(addressOf: peer) else {
            server.count(.peersRefused)
            return 403
        }
        // As for permissions, the address decides; a packet for a port without media goes nowhere.
        switch allocation.bind(number, to: peer, shard: server.peers.shard(at: peer), at: now) {
        case .bound: return nil
        case .conflict: return 400
        case .full: return 508
        }
    }
}
