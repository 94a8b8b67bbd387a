@testable import RoundhouseMedia

// Safe: buffers live for the call that they are given to.

/// The TURN server, before and after a client has shown its credentials.
enum TURNTargets {
    private static let media = IPAddressPort(ipv4: 0x0A00_0001, port: 40_000)
    private static let client = IPAddressPort(ipv4: 0xC633_6401, port: 5000)
    private static let time = TURNSession.Time(now: MediaInstant(nanoseconds: 1_000_000_000), unix: 1_000)

    /// Pieces of a stream, which have to give the same frames as the whole; each is answered.
    static func run(_ bytes: UnsafeRawBufferPointer) {
        var script = Script(bytes)
        var server = TURNServer(secrets: [Secret("secret")], nonceKey: "nonces", seed: 0)
        server.peers.insert(media, shard: 0)
        var session = TURNSession(client: client, at: time.now)
        let credential = TURNCredential(holder: "peer", expiry: 2_000, secret: Secret("secret"))
        var (pieces, stream): ([[UInt8]], [UInt8]) = ([], [])
        while let step = script.next() {
            var piece = script.bytes()
            // Whoever makes requests may have credentials.
            if step & 1 == 0 { piece = authenticated(piece, step, credential, server) }
            pieces.append(piece)
            stream += piece
        }
        let frames = frames(of: pieces)
        precondition(frames == Self.frames(of: [stream]))
        for frame in frames {
            switch frame {
            case .message(let message):
                guard case .relay(let peer, let shard, let range) = session.received(message, at: time, &server) else {
                    continue
                }
                precondition(peer == media && shard == 0 && range.upperBound <= message.count)
            case .channelData(let channel, let payload):
                if let target = session.received(channel: channel, at: time.now) { precondition(target.peer == media) }
                _ = session.envelope(of: payload.count, from: media, isStream: true, at: time.now)
            case .incomplete, .malformed: break
            }
        }
        precondition(server.allocationCount == (session.isAllocated ? 1 : 0))
        session.release(time.now, &server)
        precondition(server.allocationCount == 0)
    }

    private static func frames(of pieces: [[UInt8]]) -> [TURNStreamReader.Frame] {
        var reader = TURNStreamReader()
        var frames: [TURNStreamReader.Frame] = []
        for piece in pieces {
            reader.append(piece)
            while true {
                let frame = reader.next()
                if frame == .incomplete { break }
                frames.append(frame)
                if frame == .malformed { return frames }
            }
        }
        return frames
    }

    /// A request whose attributes are the input's, and after them those of credentials.
    private static func authenticated(
        _ attributes: [UInt8], _ step: UInt8, _ credential: TURNCredential, _ server: TURNServer
    ) -> [UInt8] {
        var space = [UInt8](repeating: 0, count: 4096)
        let methods = [TURNMessage.Method.allocate, TURNMessage.Method.refresh, 8, 9]
        let count = space.withUnsafeMutableBytes { buffer in
            do throws(WireError) {
                var message = try STUNMessageWriter(
                    ByteWriter(buffer), class: .request, method: methods[Int(step >> 1) % 4],
                    transactionID: STUNTransactionID(high: 1, low: UInt32(step)))
                var rest = attributes[...]
                while rest.count >= 3 {
                    let (type, length) = (UInt16(rest[rest.startIndex + 1]), Int(rest[rest.startIndex + 2] & 31))
                    let value = Array(rest.dropFirst(3).prefix(length))
                    rest = rest.dropFirst(3 + value.count)
                    let result = value.withUnsafeBytes { bytes in
                        Result { () throws(WireError) in
                            try message.append(STUNAttributeType(rawValue: type), bytes)
                        }
                    }
                    try result.get()
                }
                try message.append(.username, text: credential.username)
                try message.append(.realm, text: TURNServer.realm)
                try message.append(.nonce, text: server.nonces.make(for: client, at: time.unix))
                try message.appendMessageIntegrity(
                    TURNCredential.key(
                        username: credential.username, realm: TURNServer.realm, password: credential.password.revealed))
                return message.finish().count
            } catch {
                return 0
            }
        }
        return Array(space[..<count])
    }
}
