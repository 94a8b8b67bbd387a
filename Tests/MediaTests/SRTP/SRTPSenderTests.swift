import Testing

@testable import RoundhouseMedia

@Suite("SRTP sealing")
struct SRTPSenderTests {
    @Test(arguments: SRTPCase.all)
    func `sealed packets equal libsrtp's, byte for byte, for every payload length`(row: SRTPCase) throws {
        let master = masterKey(row.profile)
        let sealer = try TestSealer(row.profile, master, engine: row.engine)
        let reference = try TestReference(row.profile, master, .outbound)
        for length in 0...1300 {
            let packet = TestRTPPacket(sequence: UInt16(length), payloadLength: length)
            let sealed = try sealer.sealed(packet, index: UInt64(length), inPlace: length % 2 == 1)
            guard sealed == reference.protected(packet.bytes) else {
                Issue.record("differs at \(length) bytes")
                return
            }
        }
    }

    @Test(arguments: SRTPCase.all)
    func `CSRCs and header extensions stay in the clear and are authenticated`(row: SRTPCase) throws {
        let master = masterKey(row.profile)
        let sealer = try TestSealer(row.profile, master, engine: row.engine)
        let reference = try TestReference(row.profile, master, .outbound)
        let opener = try TestOpener(row.profile, master, engine: row.engine)
        var sequence: UInt16 = 1
        for contributors in 0...15 {
            for words in [nil, 0, 1, 5, 60] as [Int?] {
                let packet = TestRTPPacket(
                    sequence: sequence, payloadLength: 99, contributors: contributors, extensionWords: words)
                let sealed = try sealer.sealed(packet, index: UInt64(sequence))
                #expect(sealed == reference.protected(packet.bytes))
                #expect(sealed[..<packet.headerLength] == packet.bytes[..<packet.headerLength])
                let (result, plain) = opener.opened(sealed)
                #expect(
                    result
                        == .opened(
                            headerLength: packet.headerLength, length: packet.bytes.count, index: UInt64(sequence)))
                #expect(plain == packet.bytes)
                sequence += 1
            }
        }
    }

    @Test(arguments: SRTPCase.all)
    func `the roll-over counter goes on across two wraps as libsrtp's does`(row: SRTPCase) throws {
        let master = masterKey(row.profile)
        let sealer = try TestSealer(row.profile, master, engine: row.engine)
        let reference = try TestReference(row.profile, master, .outbound)
        let opener = try TestOpener(row.profile, master, engine: row.engine)
        for index in stride(from: UInt64(65_000), to: 140_000, by: 97) {
            let packet = TestRTPPacket(sequence: UInt16(truncatingIfNeeded: index), payloadLength: 40)
            let sealed = try sealer.sealed(packet, index: index)
            #expect(sealed == reference.protected(packet.bytes))
            let (result, plain) = opener.opened(sealed)
            #expect(result == .opened(headerLength: 12, length: 52, index: index))
            #expect(plain == packet.bytes)
        }
    }

    @Test(arguments: SRTPCase.all)
    func `a stream may begin with any roll-over counter`(row: SRTPCase) throws {
        let master = masterKey(row.profile)
        let sealer = try TestSealer(row.profile, master, engine: row.engine)
        let index: UInt64 = 7 << 16 | 100
        let opener = try TestOpener(row.profile, master, engine: .libcrypto)
        let resumed = opener.resume(
            SRTPStreamState(
                ssrc: 0xCAFE_BABE, highestIndex: index - 1, window: [UInt64](repeating: 0, count: 16),
                highestRTCPIndex: nil, rtcpWindow: 0))
        #expect(resumed)
        let packet = TestRTPPacket(sequence: 100, payloadLength: 40)
        let sealed = try sealer.sealed(packet, index: index)
        #expect(opener.opened(sealed).0 == .opened(headerLength: 12, length: 52, index: index))
    }

    @Test(arguments: SRTPCase.all)
    func `the same packet can be sealed again, for a retransmission`(row: SRTPCase) throws {
        let sealer = try TestSealer(row.profile, masterKey(row.profile), engine: row.engine)
        let packet = TestRTPPacket(sequence: 5, payloadLength: 40)
        let first = try sealer.sealed(packet, index: 5)
        _ = try sealer.sealed(TestRTPPacket(sequence: 6, payloadLength: 40), index: 6)
        #expect(try sealer.sealed(packet, index: 5) == first)
    }

    @Test(arguments: SRTPCase.all)
    func `sealed RTCP equals libsrtp's, byte for byte`(row: SRTPCase) throws {
        let master = masterKey(row.profile)
        let sealer = try TestSealer(row.profile, master, engine: row.engine)
        let reference = try TestReference(row.profile, master, .outbound)
        for length in stride(from: 8, through: 1200, by: 4) {
            let packet = rtcpPacket(length: length, fill: length)
            let sealed = try sealer.sealedRTCP(packet)
            #expect(sealed == reference.protected(packet, rtcp: true))
            #expect(sealed.count == packet.count + row.profile.rtcpOverhead)
        }
    }

    @Test(arguments: SRTPProfile.allCases)
    func `the SRTCP index is counted and ends at 31 bits`(profile: SRTPProfile) throws {
        let sealer = try TestSealer(profile, masterKey(profile), nextRTCPIndex: 0x7FFF_FFFF)
        #expect(try !sealer.sealedRTCP(rtcpPacket(length: 28)).isEmpty)
        #expect(sealer.nextRTCPIndex == 0x8000_0000)
        #expect(try sealer.sealedRTCP(rtcpPacket(length: 28)).isEmpty)
    }
}
