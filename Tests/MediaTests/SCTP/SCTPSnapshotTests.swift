import Testing

@testable import RoundhouseMedia

/// Associations that move to another process in the middle of anything.
@Suite("SCTP associations written down")
struct SCTPSnapshotTests {
    /// An association under test with a peer that answers it: inputs are what the peer says.
    private struct Conversation: ~Copyable, Restorable {
        var association: SCTPAssociation

        init(_ settings: SCTPSettings) {
            association = SCTPAssociation(settings: settings, secret: SCTPEndpoint.secret(1))
        }

        init(restoring reader: inout SnapshotReader) throws(WireError) { association = try reader.read() }
        func write(to writer: inout SnapshotWriter) { writer.write(association) }
    }

    private func packets(_ association: inout SCTPAssociation, at now: MediaInstant) -> [[UInt8]] {
        withUnsafeTemporaryAllocation(byteCount: 2048, alignment: 16) { buffer in
            var packets: [[UInt8]] = []
            while let count = association.pollTransmit(into: buffer, at: now) {
                packets.append(Array(buffer[..<count]))
            }
            return packets
        }
    }

    private func events(_ association: inout SCTPAssociation) -> [SCTPEvent] {
        var events: [SCTPEvent] = []
        while let event = association.pollEvent() { events.append(event) }
        return events
    }

    /// The peer's part is a function of the step, so that every run hears the same.
    @Test(arguments: [false, true]) func `an association goes on elsewhere as if nothing had happened`(
        isInterleaved: Bool
    ) throws {
        var settings = SCTPSettings()
        // Little is kept, since every prefix of what is written is read once.
        settings.receiveWindow = 2_000
        settings.sendBuffer = 1_000
        settings.packetLength = 256
        if isInterleaved { settings.capabilities.insert(.interleaving) }
        let script = SnapshotScript(steps: 90, Conversation(settings)) { machine, index, random, now in
            if index == 0 { machine.association.connect(at: now) }
            var said = ""
            let (tag, first) = (machine.association.localTag, machine.association.localInitialTSN)
            for packet in peerPackets(index, &random, tag, first, isInterleaved) {
                packet.withUnsafeBytes { machine.association.packetReceived($0, at: now) }
            }
            let message = SCTPMessage.numbered(
                index, count: 4 + random.below(80), on: UInt16(random.below(4)), isUnordered: random.isOne(in: 2))
            let reliability = [SCTPReliability.reliable, .retransmissions(1), .lifetime(.milliseconds(80))][
                random.below(3)]
            said += "\(machine.association.send(message, reliability: reliability, at: now)) "
            if random.isOne(in: 15) { _ = machine.association.resetStreams([UInt16(random.below(4))], at: now) }
            if let due = machine.association.nextDeadline, due <= now { machine.association.deadlineReached(now) }
            said += "\(packets(&machine.association, at: now)) \(events(&machine.association))"
            said += " \(machine.association.nextDeadline?.nanoseconds ?? 0) \(machine.association.heldBytes)"
            return said
        }
        try script.check()
    }

    /// What a peer might say at this step: the handshake first, then data, acknowledgements and requests.
    private func peerPackets(
        _ index: Int, _ random: inout SplitMix, _ tag: UInt32, _ first: TSN, _ isInterleaved: Bool
    ) -> [[UInt8]] {
        func packet(_ body: (inout SCTPPacketWriter) throws(WireError) -> Void) -> [[UInt8]] {
            SCTPPacketWriter.packet(limit: 1188, from: 5000, to: 5000, tag: tag, body).map { [$0] } ?? []
        }
        if index == 2 {
            var capabilities: SCTPCapabilities = [.partialReliability, .reconfiguration]
            if isInterleaved { capabilities.insert(.interleaving) }
            var initiation = SCTPInitiation(
                tag: 99, window: 30_000, outgoingStreams: 100, incomingStreams: 100, initialTSN: TSN(1000),
                capabilities: capabilities)
            initiation.cookie = [1, 2, 3, 4]
            return packet { (writer) throws(WireError) in try initiation.write(.initiationAck, into: &writer) }
        }
        if index == 4 { return packet { (writer) throws(WireError) in try writer.append(.cookieAck) } }
        guard index > 4 else { return [] }
        let (offset, kind, other) = (random.below(6), random.below(12), random.below(30))
        if kind < 7 {
            let header = SCTPDataHeader(
                isInterleaved: isInterleaved, tsn: TSN(1000 + UInt32(index - 5 + offset)), stream: UInt16(other % 3),
                number: UInt32(other % 4), fragment: UInt32(other), payloadProtocol: .binary,
                flags: SCTPDataHeader.Flags(rawValue: UInt8(other % 8)))
            return packet { (writer) throws(WireError) in
                try header.write([UInt8](repeating: 7, count: 10), 0..<10, into: &writer)
            }
        }
        if kind == 7 {
            let forward = SCTPForwardTSN(
                isInterleaved: isInterleaved, cumulative: TSN(1000 + UInt32(index - 5)),
                skipped: [SCTPForwardTSN.Skipped(stream: UInt16(other % 3), isUnordered: false, number: 1)])
            return packet { (writer) throws(WireError) in try forward.write(into: &writer) }
        }
        if kind == 8 {
            return packet { (writer) throws(WireError) in
                try SCTPReconfiguration([
                    .outgoingReset(
                        request: TSN(1000 + UInt32(other % 3)), response: TSN(0),
                        lastAssigned: TSN(1000 + UInt32(index)), streams: [UInt16(other % 3)])
                ]).write(into: &writer)
            }
        }
        if kind > 9 {
            let ack = SCTPSelectiveAck(
                cumulative: first.advanced(by: (index - 8) * 2), window: 20_000,
                blocks: [SCTPSelectiveAck.Block(start: 2, end: 2 + UInt16(other % 3))])
            return packet { (writer) throws(WireError) in try ack.write(into: &writer) }
        }
        if kind == 9 {
            return packet { (writer) throws(WireError) in try writer.append(.heartbeat, value: [0, 1, 0, 4]) }
        }
        return []
    }

    @Test func `a pair that moves all the time loses nothing`() throws {
        let pair = SCTPPair(path: SCTPPair.Path(loss: 50, reordering: .milliseconds(10)))
        #expect(pair.connect())
        for number in 0..<50 {
            #expect(pair.send(.numbered(number, count: 5000)) == .queued)
            pair.run(for: .milliseconds(15))
            pair.exchange()
            try pair.first.move()
            try pair.second.move()
        }
        #expect(pair.run(atMost: .seconds(60)) { pair.second.messages.count == 50 })
        #expect(pair.second.messages == (0..<50).map { .numbered($0, count: 5000) })
    }

    @Test func `channels are written down with their association`() throws {
        var channels = DataChannels(isClient: true)
        var association = SCTPAssociation(secret: SCTPEndpoint.secret(1))
        let now = MediaInstant(nanoseconds: 1)
        for label in ["a", "b"] {
            let open = DataChannelOpen(
                label: label, subprotocol: "p", isOrdered: false, reliability: .retransmissions(2))
            _ = channels.open(open, on: &association, at: now)
        }
        var writer = SnapshotWriter()
        writer.write(channels)
        var reader = SnapshotReader(writer.bytes)
        let restored: DataChannels = try reader.read()
        #expect(restored.channels == channels.channels && restored.isClient && reader.isAtEnd)
        for count in 0..<writer.bytes.count {
            var reader = SnapshotReader(Array(writer.bytes[..<count]))
            #expect(throws: WireError.truncated) { _ = try DataChannels(restoring: &reader) }
        }
    }
}
