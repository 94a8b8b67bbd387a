import Testing

@testable import RoundhouseMedia

@Suite("SRTP opening")
struct SRTPReceiverTests {
    @Test(arguments: SRTPCase.all)
    func `what libsrtp seals we open, and what we seal libsrtp opens`(row: SRTPCase) throws {
        let master = masterKey(row.profile)
        let outbound = try TestReference(row.profile, master, .outbound)
        let inbound = try TestReference(row.profile, master, .inbound)
        let sealer = try TestSealer(row.profile, master, engine: row.engine)
        let opener = try TestOpener(row.profile, master, engine: row.engine)
        for length in stride(from: 0, through: 1300, by: 13) {
            let packet = TestRTPPacket(sequence: UInt16(length), payloadLength: length, extensionWords: length % 3)
            let theirs = try #require(outbound.protected(packet.bytes))
            #expect(opener.opened(theirs).1 == packet.bytes)
            #expect(inbound.unprotected(try sealer.sealed(packet, index: UInt64(length))) == packet.bytes)

            let report = rtcpPacket(length: 8 + length / 4 * 4)
            let theirReport = try #require(outbound.protected(report, rtcp: true))
            #expect(opener.openedRTCP(theirReport).1 == report)
            #expect(inbound.unprotected(try sealer.sealedRTCP(report), rtcp: true) == report)
        }
        #expect(opener.streamCount == 1)
    }

    @Test(arguments: SRTPCase.all)
    func `a packet is accepted once, in any order, within a window of 1,024`(row: SRTPCase) throws {
        let master = masterKey(row.profile)
        let sealer = try TestSealer(row.profile, master, engine: .libcrypto)
        let opener = try TestOpener(row.profile, master, engine: row.engine)
        func packet(_ index: UInt64) throws -> [UInt8] {
            try sealer.sealed(
                TestRTPPacket(sequence: UInt16(truncatingIfNeeded: index), payloadLength: 30), index: index)
        }
        for index in [2000, 1990, 1995, 2003, 977] as [UInt64] {  // 2003 − 977 = 1026: too old
            let expected: SRTPOpenResult =
                index == 977 ? .replayed : .opened(headerLength: 12, length: 42, index: index)
            #expect(opener.opened(try packet(index)).0 == expected, "index \(index)")
            #expect(opener.opened(try packet(index)).0 == .replayed)
        }
        #expect(opener.opened(try packet(980)).0 == .opened(headerLength: 12, length: 42, index: 980))
        #expect(opener.opened(try packet(979)).0 == .replayed)
    }

    @Test(arguments: SRTPCase.all)
    func `reordering around a roll-over finds each packet's own index`(row: SRTPCase) throws {
        let master = masterKey(row.profile)
        let sealer = try TestSealer(row.profile, master, engine: .libcrypto)
        let opener = try TestOpener(row.profile, master, engine: row.engine)
        for index in [65_530, 65_537, 65_535, 65_536, 65_531, 98_000, 130_000, 131_000, 131_073, 131_070] as [UInt64] {
            let packet = TestRTPPacket(sequence: UInt16(truncatingIfNeeded: index), payloadLength: 30)
            let result = opener.opened(try sealer.sealed(packet, index: index)).0
            #expect(result == .opened(headerLength: 12, length: 42, index: index))
        }
    }

    @Test(arguments: SRTPCase.all)
    func `a packet changed at any byte is refused and leaves no trace`(row: SRTPCase) throws {
        let master = masterKey(row.profile)
        let sealer = try TestSealer(row.profile, master, engine: .libcrypto)
        let opener = try TestOpener(row.profile, master, engine: row.engine)
        let packet = TestRTPPacket(sequence: 9, payloadLength: 40, contributors: 1, extensionWords: 2)
        let good = try sealer.sealed(packet, index: 9)
        for position in good.indices {
            for bit in [0x01, 0x80] as [UInt8] {
                var bad = good
                bad[position] ^= bit
                let result = opener.opened(bad).0
                #expect(result == .authenticationFailed || result == .malformed, "byte \(position)")
            }
        }
        let report = rtcpPacket(length: 32)
        let goodReport = try sealer.sealedRTCP(report)
        for position in goodReport.indices {
            var bad = goodReport
            bad[position] ^= 0x40
            let result = opener.openedRTCP(bad).0
            #expect(result == .authenticationFailed || result == .malformed, "byte \(position)")
        }
        #expect(opener.streamCount == 0)
        #expect(opener.opened(good).1 == packet.bytes)
        #expect(opener.openedRTCP(goodReport).1 == report)
    }

    @Test(arguments: SRTPCase.all)
    func `a packet cut at any length is refused`(row: SRTPCase) throws {
        let master = masterKey(row.profile)
        let sealer = try TestSealer(row.profile, master, engine: .libcrypto)
        let opener = try TestOpener(row.profile, master, engine: row.engine)
        let good = try sealer.sealed(TestRTPPacket(sequence: 9, payloadLength: 40, extensionWords: 2), index: 9)
        let goodReport = try sealer.sealedRTCP(rtcpPacket(length: 32))
        for length in 0..<good.count {
            let result = opener.opened(Array(good.prefix(length))).0
            #expect(result == .authenticationFailed || result == .malformed, "\(length) bytes")
        }
        for length in 0..<goodReport.count {
            let result = opener.openedRTCP(Array(goodReport.prefix(length))).0
            #expect(result == .authenticationFailed || result == .malformed, "\(length) bytes")
        }
        #expect(opener.streamCount == 0)
    }

    @Test(arguments: SRTPCase.all)
    func `random packets are refused`(row: SRTPCase) throws {
        let opener = try TestOpener(row.profile, masterKey(row.profile), engine: row.engine)
        var generator = SplitMix(seed: 42)
        for round in 0..<3000 {
            var packet = (0..<Int.random(in: 0...200, using: &generator)).map { _ in
                UInt8.random(in: 0...255, using: &generator)
            }
            if round % 2 == 0, !packet.isEmpty { packet[0] = packet[0] & 0x3F | 0x80 }
            for result in [opener.opened(packet).0, opener.openedRTCP(packet).0] {
                #expect(result == .authenticationFailed || result == .malformed)
            }
        }
        #expect(opener.streamCount == 0)
    }

    @Test(arguments: SRTPCase.all)
    func `a peer has at most 1,024 streams, and room again when one is retired`(row: SRTPCase) throws {
        let master = masterKey(row.profile)
        let sealer = try TestSealer(row.profile, master, engine: .libcrypto)
        let opener = try TestOpener(row.profile, master, engine: row.engine)
        for ssrc in 1...UInt32(SRTPStreamTable.limit) {
            let packet = TestRTPPacket(ssrc: ssrc, sequence: 1, payloadLength: 10)
            #expect(opener.opened(try sealer.sealed(packet, index: 1)).1 == packet.bytes)
        }
        let late = TestRTPPacket(ssrc: 5000, sequence: 1, payloadLength: 10)
        let sealed = try sealer.sealed(late, index: 1)
        #expect(opener.opened(sealed).0 == .tooManyStreams)
        let again = try sealer.sealed(TestRTPPacket(ssrc: 77, sequence: 1, payloadLength: 10), index: 1)
        #expect(opener.opened(again).0 == .replayed)
        opener.retire(77)
        #expect(opener.opened(sealed).1 == late.bytes)
        #expect(opener.streamCount == SRTPStreamTable.limit)
        // The other streams kept their windows when one moved into the gap.
        let last = try sealer.sealed(TestRTPPacket(ssrc: 1024, sequence: 1, payloadLength: 10), index: 1)
        #expect(opener.opened(last).0 == .replayed)
    }

    @Test(arguments: SRTPCase.all)
    func `what was opened of a retired SSRC stays a replay, and its numbers go on`(row: SRTPCase) throws {
        let master = masterKey(row.profile)
        let sealer = try TestSealer(row.profile, master, engine: .libcrypto)
        let opener = try TestOpener(row.profile, master, engine: row.engine)
        func packet(_ index: UInt64) throws -> (plain: [UInt8], sealed: [UInt8]) {
            let packet = TestRTPPacket(sequence: UInt16(truncatingIfNeeded: index), payloadLength: 40)
            return (packet.bytes, try sealer.sealed(packet, index: index))
        }
        let first = try packet(65_530)
        #expect(opener.opened(first.sealed).1 == first.plain)
        opener.retire(TestRTPPacket(sequence: 0, payloadLength: 40).ssrc)
        #expect(opener.streamCount == 0)
        #expect(opener.opened(first.sealed).0 == .replayed)
        #expect(opener.streamCount == 0)
        // Over a roll-over, which a stream that begins would not know of.
        let next = try packet(65_540)
        #expect(opener.opened(next.sealed).1 == next.plain)
        #expect(opener.streamCount == 1)
        #expect(opener.opened(next.sealed).0 == .replayed)
    }

    @Test(arguments: SRTPCase.all)
    func `of retired SSRCs the oldest are forgotten, those that are taken never`(row: SRTPCase) throws {
        let master = masterKey(row.profile)
        let sealer = try TestSealer(row.profile, master, engine: .libcrypto)
        let opener = try TestOpener(row.profile, master, engine: row.engine)
        func packet(_ ssrc: UInt32) throws -> [UInt8] {
            try sealer.sealed(TestRTPPacket(ssrc: ssrc, sequence: 1, payloadLength: 10), index: 1)
        }
        let count = UInt32(SRTPStreamTable.limit * 2)
        let kept = UInt32(SRTPStreamTable.retiredLimit)
        _ = opener.opened(try packet(1))
        for ssrc in 2...count {
            guard case .opened = opener.opened(try packet(ssrc)).0 else {
                Issue.record("stream \(ssrc) found no room")
                return
            }
            opener.retire(ssrc)
        }
        #expect(opener.streamCount == 1)
        #expect(opener.streams.count == 1 + Int(kept))
        for ssrc in [1, count, count - kept + 1] { #expect(opener.opened(try packet(ssrc)).0 == .replayed) }
        // A full table takes the retired ones' places.
        for ssrc in 2...UInt32(SRTPStreamTable.limit) { _ = opener.opened(try packet(ssrc)) }
        #expect(opener.streamCount == SRTPStreamTable.limit)
        #expect(opener.streams.count == SRTPStreamTable.limit)
        #expect(opener.opened(try packet(5000)).0 == .tooManyStreams)
        #expect(opener.opened(try packet(1)).0 == .replayed)
    }

    @Test(arguments: SRTPProfile.allCases)
    func `SRTCP packets are accepted once, within a window of 64`(profile: SRTPProfile) throws {
        let master = masterKey(profile)
        let sealer = try TestSealer(profile, master, nextRTCPIndex: 0)
        let opener = try TestOpener(profile, master, engine: .libcrypto)
        let packets = try (0..<200).map { try sealer.sealedRTCP(rtcpPacket(length: 28, fill: $0)) }
        for index in [0, 100, 37, 99, 101] {
            #expect(opener.openedRTCP(packets[index]).0 == .opened(headerLength: 8, length: 28, index: UInt64(index)))
            #expect(opener.openedRTCP(packets[index]).0 == .replayed)
        }
        #expect(opener.openedRTCP(packets[36]).0 == .replayed)
        #expect(opener.openedRTCP(packets[38]).1 == rtcpPacket(length: 28, fill: 38))
    }

    @Test(arguments: SRTPProfile.allCases)
    func `an SRTCP packet in the clear is refused`(profile: SRTPProfile) throws {
        let opener = try TestOpener(profile, masterKey(profile), engine: .libcrypto)
        let packet = rtcpPacket(length: 28) + [UInt8](repeating: 0, count: profile.rtcpOverhead)
        #expect(opener.openedRTCP(packet).0 == .malformed)
    }

    @Test(arguments: SRTPProfile.allCases)
    func `another receiver continues from exported state`(profile: SRTPProfile) throws {
        let master = masterKey(profile)
        let sealer = try TestSealer(profile, master, engine: .libcrypto)
        let opener = try TestOpener(profile, master, engine: .libcrypto)
        func packet(_ index: UInt64) throws -> [UInt8] {
            try sealer.sealed(
                TestRTPPacket(sequence: UInt16(truncatingIfNeeded: index), payloadLength: 30), index: index)
        }
        for index in UInt64(65_500)..<65_600 where index != 65_590 { _ = opener.opened(try packet(index)) }
        let report = try sealer.sealedRTCP(rtcpPacket(length: 28))
        _ = opener.openedRTCP(report)
        let next = try TestOpener(profile, master, engine: .libcrypto)
        for state in opener.streams {
            let resumed = next.resume(state)
            #expect(resumed)
        }
        #expect(next.streams == opener.streams)
        #expect(next.opened(try packet(65_599)).0 == .replayed)
        #expect(next.openedRTCP(report).0 == .replayed)
        #expect(next.opened(try packet(65_590)).0 == .opened(headerLength: 12, length: 42, index: 65_590))
        #expect(next.opened(try packet(65_600)).0 == .opened(headerLength: 12, length: 42, index: 65_600))
    }
}
