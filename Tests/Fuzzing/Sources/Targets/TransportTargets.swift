@testable import RoundhouseMedia

// Safe: buffers live for the call that they are given to.

/// What protects media and finds its way: DTLS, SRTP, ICE.
enum TransportTargets {
    private static let certificate = try? DTLSCertificate()
    private static let start = MediaInstant(nanoseconds: 1_000_000_000_000)

    /// Datagrams of a handshake, or of nothing of the kind, at a server's end or a client's.
    static func runDTLS(_ bytes: UnsafeRawBufferPointer) {
        var script = Script(bytes)
        guard let certificate, let first = script.next(), let connection = try? DTLSConnection(certificate: certificate)
        else { return }
        var now = start
        let out = UnsafeMutableRawBufferPointer.allocate(byteCount: 2048, alignment: 16)
        defer { out.deallocate() }
        func drain() {
            while let length = connection.pollTransmit(into: out) { precondition(length <= out.count) }
            while connection.pollEvent() != nil {}
        }
        connection.setRemoteFingerprint(DTLSFingerprint(algorithm: .sha256, value: Array(repeating: 1, count: 32)))
        connection.start(role: first & 1 == 0 ? .server : .client, at: now)
        drain()
        while let step = script.next() {
            switch step & 7 {
            case 0:
                now = now + .milliseconds(Int(script.next() ?? 0) * 20)
                connection.deadlineReached(at: now)
            case 1: _ = connection.send(script.bytes())
            case 2: connection.close()
            default:
                let datagram = script.bytes()
                datagram.withUnsafeBytes { connection.datagramReceived($0, at: now) }
            }
            drain()
        }
    }

    /// What nobody sealed, and what was sealed and changed on the way.
    static func runSRTP(_ bytes: UnsafeRawBufferPointer) {
        var script = Script(bytes)
        guard let first = script.next() else { return }
        let profile = SRTPProfile.allCases[Int(first) % SRTPProfile.allCases.count]
        let master = SRTPMasterKey(
            key: Array(repeating: 7, count: profile.keyLength), salt: Array(repeating: 9, count: profile.saltLength))
        guard var opener = try? SRTPReceiver(profile: profile, master: master, engine: .libcrypto),
            var sealer = try? SRTPSender(profile: profile, master: master, engine: .libcrypto)
        else { return }
        while let step = script.next() {
            var packet = script.bytes()
            if step & 1 == 0, packet.count >= 12 {
                let (plain, index) = (packet.count, UInt64(script.number()))
                packet[0] = 0x80
                packet += Array(repeating: 0, count: profile.rtcpOverhead)
                let sealed = packet.withUnsafeMutableBytes { buffer -> Int in
                    guard let base = buffer.baseAddress else { return 0 }
                    guard step & 2 == 0 else { return sealer.sealRTCP(base, count: plain) }
                    buffer.storeBytes(of: UInt16(truncatingIfNeeded: index).bigEndian, toByteOffset: 2, as: UInt16.self)
                    let ssrc = UInt32(bigEndian: buffer.loadUnaligned(fromByteOffset: 8, as: UInt32.self))
                    return sealer.sealRTP(
                        base, headerLength: 12, payload: base + 12, payloadLength: plain - 12, ssrc: ssrc, index: index)
                }
                packet = Array(packet[..<sealed])
                if step & 4 != 0, let at = script.next() { packet[Int(at) % packet.count] ^= script.next() ?? 1 }
            }
            if step & 8 != 0, packet.count >= 12 {
                opener.retire(packet[8..<12].reduce(0) { $0 << 8 | UInt32($1) })
            }
            let count = packet.count
            packet.withUnsafeMutableBytes { buffer in
                guard let base = buffer.baseAddress else { return }
                let result = step & 2 == 0 ? opener.openRTP(base, count: count) : opener.openRTCP(base, count: count)
                if case .opened(let head, let length, _) = result { precondition(head <= length && length <= count) }
            }
        }
        precondition(opener.streamCount <= SRTPStreamTable.limit)
    }

    /// Everything that can happen to an agent, in any order.
    static func runICE(_ bytes: UnsafeRawBufferPointer) {
        var script = Script(bytes)
        let credentials = ICECredentials(usernameFragment: "fragment", password: "a password of twenty-two")
        var agent = ICELiteAgent(credentials: credentials, consentTimeout: .seconds(30))
        var now = start
        let remote = IPAddressPort(ipv4: 0x0A00_0001, port: 5000)
        while let step = script.next() {
            let tuple = TupleID(UInt64(step >> 4))
            switch step & 15 {
            case 0:
                now = now + .milliseconds(Int(script.number()))
                agent.deadlineReached(now)
            case 1: _ = agent.handshakeReceived(on: tuple, at: now)
            case 2: _ = agent.mediaReceived(on: tuple, at: now)
            case 3: _ = agent.feedbackReceived(on: tuple, at: now)
            case 4: agent.tupleRemoved(tuple, at: now)
            case 5: agent.restart(credentials: credentials, at: now)
            case 6: agent.currentCredentialsUsed()
            case 7: agent.close()
            case 8, 9:
                let message = script.bytes()
                var reply = [UInt8](repeating: 0, count: 256)
                reply.withUnsafeMutableBytes { out in
                    var writer = ByteWriter(out)
                    message.withUnsafeBytes {
                        _ = agent.bindingRequestReceived($0, on: tuple, from: remote, at: now, reply: &writer)
                    }
                }
            default:
                agent.checkAccepted(
                    on: tuple, nominates: step & 1 == 0, nomination: step & 2 == 0 ? nil : UInt32(script.number()),
                    at: now)
            }
            while agent.pollEvent() != nil {}
        }
    }
}
