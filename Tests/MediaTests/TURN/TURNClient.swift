@testable import RoundhouseMedia

/// A client of the TURN server, in virtual time.
// Safe: messages are read while their arrays are held.
struct TURNClient {
    static let secret = Secret("a secret for tests")
    /// 10.0.0.1:40000 is the first shard's, 10.0.0.1:40001 and [2001:db8::1]:40001 the second's.
    static let media = IPAddressPort(ipv4: 0x0A00_0001, port: 40_000)
    static let otherMedia = IPAddressPort(ipv4: 0x0A00_0001, port: 40_001)
    static let mediaIPv6 = IPAddressPort(ipv6High: 0x2001_0DB8_0000_0000, low: 1, port: 40_001)

    static func server(secrets: [Secret] = [secret]) -> TURNServer {
        var server = TURNServer(secrets: secrets, nonceKey: "nonces", seed: 0)
        server.peers.insert(media, shard: 0)
        server.peers.insert(otherMedia, shard: 1)
        server.peers.insert(mediaIPv6, shard: 1)
        return server
    }

    /// What a client understands of an answer.
    struct Answer {
        let message: STUNMessage.Kind
        let code: UInt16?
        let attributes: [UInt16: [UInt8]]
        let bytes: [UInt8]

        var isSuccess: Bool { code == nil }
        var lifetime: Int? { attributes[0x000D].map { $0.reduce(0) { $0 << 8 | Int($1) } } }
        func text(_ type: UInt16) -> String? { attributes[type].map { String(decoding: $0, as: UTF8.self) } }
    }

    let address: IPAddressPort
    var session: TURNSession
    var time = TURNSession.Time(now: MediaInstant(nanoseconds: 1_000_000_000_000), unix: 1_800_000_000)
    var username = ""
    var password = ""
    var nonce = ""
    private var transactions: UInt32 = 0

    init(port: UInt16 = 5000, holder: String = "peer") {
        address = IPAddressPort(ipv4: 0xC633_6401, port: port)
        session = TURNSession(client: address, at: time.now)
        let credential = TURNCredential(holder: holder, expiry: time.unix + 60, secret: Self.secret)
        (username, password) = (credential.username, credential.password.revealed)
    }

    mutating func wait(_ seconds: Int) {
        time = TURNSession.Time(now: time.now + .seconds(seconds), unix: time.unix + Int64(seconds))
    }

    typealias Body = (inout STUNMessageWriter) throws(WireError) -> Void

    /// - Parameter isAuthenticated: whether it has credentials.
    mutating func message(
        _ method: UInt16, class messageClass: STUNClass = .request, isAuthenticated: Bool = true,
        transaction: UInt32? = nil, _ body: Body = { _ throws(WireError) in }
    ) -> [UInt8] {
        transactions += 1
        let id = STUNTransactionID(high: 7, low: transaction ?? transactions)
        var space = [UInt8](repeating: 0, count: 3000)
        let (username, password, nonce) = (username, password, nonce)
        let count = space.withUnsafeMutableBytes { buffer in
            do throws(WireError) {
                var message = try STUNMessageWriter(
                    ByteWriter(buffer), class: messageClass, method: method, transactionID: id)
                try body(&message)
                if isAuthenticated {
                    try message.append(.username, text: username)
                    try message.append(.realm, text: TURNServer.realm)
                    try message.append(.nonce, text: nonce)
                    try message.appendMessageIntegrity(
                        TURNCredential.key(username: username, realm: TURNServer.realm, password: password))
                }
                return message.finish().count
            } catch {
                preconditionFailure("a message of a test that is too long")
            }
        }
        return Array(space[..<count])
    }

    mutating func exchange(_ bytes: [UInt8], _ server: inout TURNServer) -> Answer? {
        guard case .reply(let bytes) = session.received(bytes, at: time, &server) else { return nil }
        return Self.read(bytes)
    }

    static func read(_ bytes: [UInt8]) -> Answer? {
        bytes.withUnsafeBytes { buffer in
            guard let message = try? STUNMessage(parsing: buffer) else { return nil }
            var attributes: [UInt16: [UInt8]] = [:]
            var iterator = STUNAttributeIterator(buffer)
            while let attribute = (try? iterator.next()) ?? nil {
                attributes[attribute.type.rawValue] = Array(attribute.value)
            }
            return Answer(
                message: STUNMessage.Kind(messageClass: message.messageClass, method: message.method),
                code: message.messageClass == .error ? message.errorCode ?? 0 : nil, attributes: attributes,
                bytes: bytes)
        }
    }

    /// Sends a request with credentials, with a new nonce if there is none.
    mutating func request(_ method: UInt16, _ server: inout TURNServer, _ body: Body = { _ throws(WireError) in })
        -> Answer?
    {
        if nonce.isEmpty {
            let bare = message(TURNMessage.Method.allocate, isAuthenticated: false)
            nonce = exchange(bare, &server)?.text(0x0015) ?? ""
        }
        return exchange(message(method, body), &server)
    }

    mutating func allocate(_ server: inout TURNServer, lifetime: UInt32? = nil) -> Answer? {
        request(TURNMessage.Method.allocate, &server) { message throws(WireError) in
            try message.append(.requestedTransport, uint32: 17 << 24)
            if let lifetime { try message.append(.lifetime, uint32: lifetime) }
        }
    }

    mutating func refresh(_ server: inout TURNServer, lifetime: UInt32) -> Answer? {
        request(TURNMessage.Method.refresh, &server) { message throws(WireError) in
            try message.append(.lifetime, uint32: lifetime)
        }
    }

    mutating func permit(_ peers: [IPAddressPort], _ server: inout TURNServer) -> Answer? {
        request(TURNMessage.Method.createPermission, &server) { message throws(WireError) in
            for peer in peers { try message.appendXORAddress(.xorPeerAddress, peer) }
        }
    }

    mutating func bind(_ channel: UInt16, to peer: IPAddressPort, _ server: inout TURNServer) -> Answer? {
        request(TURNMessage.Method.channelBind, &server) { message throws(WireError) in
            try message.append(.channelNumber, uint32: UInt32(channel) << 16)
            try message.appendXORAddress(.xorPeerAddress, peer)
        }
    }

    mutating func indication(to peer: IPAddressPort, _ data: [UInt8]) -> [UInt8] {
        message(TURNMessage.Method.send, class: .indication, isAuthenticated: false) { message throws(WireError) in
            try message.appendXORAddress(.xorPeerAddress, peer)
            let result = data.withUnsafeBytes { bytes in
                Result { () throws(WireError) in try message.append(.data, bytes) }
            }
            try result.get()
        }
    }

    mutating func send(_ data: [UInt8], to peer: IPAddressPort, _ server: inout TURNServer) -> TURNSession.Outcome {
        session.received(indication(to: peer, data), at: time, &server)
    }
}

extension STUNMessage {
    struct Kind: Equatable {
        let messageClass: STUNClass
        let method: UInt16
    }
}
