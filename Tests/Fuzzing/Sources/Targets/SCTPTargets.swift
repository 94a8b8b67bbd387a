@testable import RoundhouseMedia

// Safe: buffers live for the call that they are given to.

/// Data channels: SCTP's packets, and an association in any state.
enum SCTPTargets {
    private static let start = MediaInstant(nanoseconds: 1_000_000_000_000)

    /// Every chunk and parameter of a packet, and DCEP.
    static func runPacket(_ bytes: UnsafeRawBufferPointer) {
        _ = try? DataChannelOpen(parsing: Array(bytes))
        guard var reader = try? SCTPPacketReader(parsing: bytes) else { return }
        _ = reader.hasValidChecksum
        while let chunk = reader.next() {
            _ = try? SCTPInitiation(parsing: chunk)
            if let ack = try? SCTPSelectiveAck(parsing: chunk) {
                let blocks = ack.cleanedBlocks
                for (block, next) in zip(blocks, blocks.dropFirst()) { precondition(block.end < next.start) }
            }
            _ = try? SCTPForwardTSN(parsing: chunk)
            _ = try? SCTPReconfiguration(parsing: chunk)
            _ = SCTPErrorCause.isPresent(SCTPErrorCause.staleCookie, in: chunk)
            var payload = chunk.value
            if let header = try? SCTPDataHeader(parsing: chunk, payload: &payload) {
                precondition(
                    payload.count <= chunk.value.count && header.isInterleaved == (chunk.type == .interleavedData))
            }
        }
    }

    /// A pair of associations between which packets are changed, dropped and made up, with messages, resets and time.
    static func runAssociation(_ bytes: UnsafeRawBufferPointer) {
        var script = Script(bytes)
        guard let first = script.next() else { return }
        var settings = SCTPSettings()
        settings.receiveWindow = 20_000
        settings.sendBuffer = 50_000
        settings.largestReceivedMessage = 5_000
        // What is changed has to pass for a packet.
        settings.capabilities.insert(.zeroChecksum)
        if first & 1 == 1 { settings.capabilities.insert(.interleaving) }
        var own = SCTPAssociation(settings: settings, secret: HMACSHA1Key(password: "own"))
        var peer = SCTPAssociation(settings: settings, secret: HMACSHA1Key(password: "peer"))
        var channels = DataChannels(isClient: first & 2 == 0)
        var now = start
        own.connect(at: now)
        let out = UnsafeMutableRawBufferPointer.allocate(byteCount: 2048, alignment: 16)
        defer { out.deallocate() }
        /// What the one says reaches the other, unless `change` makes something else of it.
        func exchange(_ change: (Int) -> Int) {
            for _ in 0..<20 {
                var hasSpoken = false
                while let count = own.pollTransmit(into: out, at: now) {
                    hasSpoken = true
                    let length = change(count)
                    peer.packetReceived(UnsafeRawBufferPointer(rebasing: out[..<length]), at: now)
                    while peer.pollEvent() != nil {}
                }
                while let count = peer.pollTransmit(into: out, at: now) {
                    hasSpoken = true
                    let length = change(count)
                    own.packetReceived(UnsafeRawBufferPointer(rebasing: out[..<length]), at: now)
                    while let event = own.pollEvent() { channels.received(event, from: &own, at: now) }
                    while channels.pollEvent() != nil {}
                }
                if !hasSpoken { break }
            }
            precondition(own.heldBytes <= own.heldLimit + 2048 && peer.heldBytes <= peer.heldLimit + 2048)
            precondition(own.sender.outstanding.isEmpty || own.sender.deadline != nil)
        }
        exchange { $0 }
        while let step = script.next() {
            switch step & 7 {
            case 0:
                now = now + .milliseconds(Int(script.next() ?? 0) * 20)
                own.deadlineReached(now)
                peer.deadlineReached(now)
            case 1, 2:
                let count = Int(script.number() % 8000)
                let message = SCTPMessage(
                    stream: UInt16(step >> 5), payloadProtocol: .binary, isUnordered: step & 16 != 0,
                    payload: [UInt8](repeating: step, count: count))
                let reliability: SCTPReliability = step & 8 == 0 ? .reliable : .retransmissions(UInt16(count % 3))
                _ =
                    step & 1 == 0
                    ? own.send(message, reliability: reliability, at: now)
                    : peer.send(message, reliability: reliability, at: now)
            case 3: _ = peer.resetStreams([UInt16(step >> 5)], at: now)
            case 4: _ = channels.open(DataChannelOpen(label: "c"), on: &own, at: now)
            case 5:
                if step & 64 == 0 { own.shutDown(at: now) } else { own.connect(at: now) }
            default:
                // The peer says something of the script's, with the right tag.
                let body = script.bytes()
                let packet = SCTPPacketWriter.packet(limit: 1188, from: 5000, to: 5000, tag: own.localTag) {
                    (writer) throws(WireError) in
                    try writer.append(SCTPChunkType(rawValue: step & 8 == 0 ? step >> 4 : step | 0xC0), value: body)
                }
                packet?.withUnsafeBytes { own.packetReceived($0, at: now) }
                while let event = own.pollEvent() { channels.received(event, from: &own, at: now) }
            }
            let (at, with) = (Int(script.next() ?? 0), script.next() ?? 0)
            exchange { count in
                // A byte of each packet behind the common header, if the script wants.
                if with & 1 == 1, 12 + at < count { out[12 + at] ^= with }
                return with & 6 == 6 ? max(count - Int(with >> 3) * 4, 0) : count
            }
        }
    }
}
