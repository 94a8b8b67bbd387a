import TestSupport
import Testing

@testable import RoundhouseMedia

@Suite("SRTP written down")
struct SRTPSnapshotTests {
    private func moved(_ sealer: borrowing SRTPSender) throws -> SRTPSender {
        let optional = sealer.snapshot
        let snapshot = try #require(optional)
        var writer = SnapshotWriter()
        snapshot.write(to: &writer)
        var reader = SnapshotReader(writer.bytes)
        let read = try SRTPSender.Snapshot(from: &reader)
        #expect(read == snapshot && reader.isAtEnd)
        return try SRTPSender(restoring: read)
    }

    private func moved(_ opener: borrowing SRTPReceiver) throws -> SRTPReceiver {
        let optional = opener.snapshot
        let snapshot = try #require(optional)
        var writer = SnapshotWriter()
        snapshot.write(to: &writer)
        var reader = SnapshotReader(writer.bytes)
        let read = try SRTPReceiver.Snapshot(from: &reader)
        #expect(read == snapshot && reader.isAtEnd)
        return try SRTPReceiver(restoring: read)
    }

    @Test(arguments: SRTPProfile.allCases)
    func `a pair moved at random instants loses, repeats and confuses nothing`(profile: SRTPProfile) throws {
        var generator = SplitMix(seed: 5)
        let master = masterKey(profile)
        var sealer = try SRTPSender(profile: profile, master: master)
        var opener = try SRTPReceiver(profile: profile, master: master)
        // A peer that stays where it is: libsrtp.
        let witness = try TestReference(profile, master, .inbound)
        var indices: Set<UInt32> = []
        var held: [[UInt8]] = []
        for step in 0..<600 as Range<UInt64> {
            if Int.random(in: 0..<10, using: &generator) == 0 { sealer = try moved(sealer) }
            if Int.random(in: 0..<10, using: &generator) == 0 { opener = try moved(opener) }
            // Over a roll-over, with a batch inside the replay window.
            let index = 64_000 + step * 20
            let packet = TestRTPPacket(
                ssrc: UInt32(1 + step % 3), sequence: UInt16(truncatingIfNeeded: index), payloadLength: 50)
            var sealed = packet.bytes + [UInt8](repeating: 0, count: profile.tagLength)
            let length = sealed.withUnsafeMutableBytes { buffer -> Int in
                guard let base = buffer.baseAddress else { return 0 }
                return sealer.sealRTP(
                    base, headerLength: packet.headerLength, payload: base + packet.headerLength, payloadLength: 50,
                    ssrc: packet.ssrc, index: index)
            }
            #expect(length == sealed.count)
            held.append(sealed)
            guard Int.random(in: 0..<4, using: &generator) == 0 else { continue }
            held.shuffle(using: &generator)
            for protected in held {
                for isReplay in [false, true] {
                    var copy = protected
                    let result = copy.withUnsafeMutableBytes { buffer in
                        buffer.baseAddress.map { opener.openRTP($0, count: buffer.count) }
                    }
                    if isReplay { #expect(result == .replayed) }
                    if !isReplay, case .opened? = result { continue }
                    #expect(isReplay, "\(String(describing: result))")
                }
            }
            held = []
            let report = rtcpPacket(ssrc: 9, length: 32)
            var bytes = report + [UInt8](repeating: 0, count: profile.rtcpOverhead)
            let count = bytes.withUnsafeMutableBytes { buffer -> Int in
                guard let base = buffer.baseAddress else { return 0 }
                return sealer.sealRTCP(base, count: report.count)
            }
            #expect(count == bytes.count)
            #expect(witness.unprotected(bytes, rtcp: true) == report, "libsrtp refuses an index that came before")
            let result = bytes.withUnsafeMutableBytes { buffer in
                buffer.baseAddress.map { opener.openRTCP($0, count: buffer.count) }
            }
            guard case .opened(_, _, let rtcpIndex)? = result else {
                Issue.record("\(String(describing: result))")
                continue
            }
            #expect(indices.insert(UInt32(rtcpIndex)).inserted)
        }
        #expect(indices.count > 100)
    }

    @Test(arguments: SRTPProfile.allCases)
    func `what is cut off, of another version or of no profile is refused`(profile: SRTPProfile) throws {
        let master = masterKey(profile)
        let state = SRTPStreamState(
            ssrc: 7, highestIndex: 70_000, window: [UInt64](repeating: 3, count: 16), highestRTCPIndex: nil,
            rtcpWindow: 0)
        var (first, second) = (SnapshotWriter(), SnapshotWriter())
        SRTPSender.Snapshot(profile: profile, master: master, nextRTCPIndex: 9).write(to: &first)
        SRTPReceiver.Snapshot(profile: profile, master: master, streams: [state, state]).write(to: &second)
        for (writer, isSealer) in [(first, true), (second, false)] {
            var broken = (0..<writer.bytes.count).map { Array(writer.bytes.prefix($0)) }
            for (position, value) in [(0, 2), (0, 0), (1, 9), (2, 1)] as [(Int, UInt8)] {
                broken.append(writer.bytes)
                broken[broken.count - 1][position] = value
            }
            for bytes in broken {
                #expect(throws: WireError.self) {
                    var reader = SnapshotReader(bytes)
                    if isSealer { _ = try SRTPSender.Snapshot(from: &reader) }
                    if !isSealer { _ = try SRTPReceiver.Snapshot(from: &reader) }
                }
            }
        }
        // The same SSRC twice is no opener's.
        var reader = SnapshotReader(second.bytes)
        let doubled = try SRTPReceiver.Snapshot(from: &reader)
        #expect(throws: MediaError.self) { _ = try SRTPReceiver(restoring: doubled) }
    }

    @Test func `an SRTCP index that was used up stays used up`() throws {
        let sealer = try SRTPSender(
            restoring: SRTPSender.Snapshot(
                profile: .aeadAES128GCM, master: masterKey(.aeadAES128GCM), nextRTCPIndex: 0x8000_0000))
        #expect(try TestSealer(sealer).sealedRTCP(rtcpPacket(length: 32)) == [])
    }

    @Test func `keys do not show when a snapshot is printed`() {
        let master = masterKey(.aeadAES128GCM)
        let sealer = SRTPSender.Snapshot(profile: .aeadAES128GCM, master: master, nextRTCPIndex: 1)
        let opener = SRTPReceiver.Snapshot(profile: .aeadAES128GCM, master: master, streams: [])
        #expect("\(sealer)" == "(hidden)" && "\(opener)" == "(hidden)")
    }
}
