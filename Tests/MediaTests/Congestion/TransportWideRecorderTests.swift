import Testing

@testable import RoundhouseMedia

private func at(_ microseconds: Int) -> MediaInstant {
    MediaInstant(nanoseconds: 64_000_000 * 100) + .microseconds(microseconds)
}

private struct Told: Equatable {
    var base: UInt16
    /// Deltas in 250 µs; `nil` for a packet that has not arrived.
    var deltas: [Int?]
    var reference: UInt32
    var count: UInt8
}

private func poll(
    _ recorder: inout TransportWideRecorder, at microseconds: Int, room: Int = TransportWideRecorder.maxStatuses
) -> [Told] {
    let buffer = UnsafeMutableBufferPointer<Int32>.allocate(capacity: room)
    defer { buffer.deallocate() }
    var told: [Told] = []
    while let feedback = recorder.pollFeedback(at: at(microseconds), into: buffer) {
        let deltas = buffer[..<feedback.statusCount].map { $0 == TransportWideRecorder.notReceived ? nil : Int($0) }
        told.append(
            Told(
                base: feedback.baseSequence, deltas: deltas, reference: feedback.referenceTime,
                count: feedback.feedbackCount))
    }
    return told
}

@Suite("TransportWideRecorder")
struct TransportWideRecorderTests {
    @Test func `as long as nothing arrives there is nothing to report`() {
        var recorder = TransportWideRecorder()
        let told = poll(&recorder, at: 1_000_000)
        #expect(told == [])
        #expect(recorder.nextDeadline == nil)
    }

    @Test func `arrivals are reported after 100 ms as deltas from the reference time`() {
        var recorder = TransportWideRecorder()
        recorder.packetReceived(sequence: 10, at: at(1000))
        recorder.packetReceived(sequence: 11, at: at(2000))
        recorder.packetReceived(sequence: 12, at: at(70_000))
        #expect(recorder.nextDeadline == at(101_000))
        let early = poll(&recorder, at: 100_999)
        let told = poll(&recorder, at: 101_000)
        #expect(early == [])
        #expect(told == [Told(base: 10, deltas: [4, 4, 272], reference: 100, count: 0)])
        #expect(recorder.nextDeadline == nil)
        recorder.packetReceived(sequence: 13, at: at(150_000))
        #expect(recorder.nextDeadline == at(201_000))
        let next = poll(&recorder, at: 201_000)
        #expect(next == [Told(base: 13, deltas: [88], reference: 102, count: 1)])
    }

    @Test func `lost packets are reported between received ones, also over two feedbacks`() {
        var recorder = TransportWideRecorder()
        recorder.packetReceived(sequence: 10, at: at(0))
        recorder.packetReceived(sequence: 13, at: at(250))
        let first = poll(&recorder, at: 100_000)
        recorder.packetReceived(sequence: 16, at: at(128_000))
        let second = poll(&recorder, at: 200_000)
        #expect(first == [Told(base: 10, deltas: [0, nil, nil, 1], reference: 100, count: 0)])
        #expect(second == [Told(base: 14, deltas: [nil, nil, 0], reference: 102, count: 1)])
    }

    @Test func `a loss across a silence longer than the window is still reported`() {
        var recorder = TransportWideRecorder()
        recorder.packetReceived(sequence: 10, at: at(0))
        _ = poll(&recorder, at: 100_000)
        recorder.packetReceived(sequence: 12, at: at(6_400_000))
        let told = poll(&recorder, at: 6_500_000)
        #expect(told == [Told(base: 11, deltas: [nil, 0], reference: 200, count: 1)])
    }

    @Test func `duplicates are ignored: the first arrival counts`() {
        var recorder = TransportWideRecorder()
        recorder.packetReceived(sequence: 10, at: at(0))
        recorder.packetReceived(sequence: 10, at: at(5000))
        let told = poll(&recorder, at: 100_000)
        #expect(told == [Told(base: 10, deltas: [0], reference: 100, count: 0)])
        #expect(recorder.duplicates == 1)
        recorder.packetReceived(sequence: 10, at: at(110_000))
        let nothing = poll(&recorder, at: 300_000)
        #expect(nothing == [])
    }

    @Test func `reordered packets have negative deltas`() {
        var recorder = TransportWideRecorder()
        recorder.packetReceived(sequence: 10, at: at(0))
        recorder.packetReceived(sequence: 12, at: at(1000))
        recorder.packetReceived(sequence: 11, at: at(2000))
        recorder.packetReceived(sequence: 9, at: at(3000))
        let told = poll(&recorder, at: 100_000)
        #expect(told == [Told(base: 9, deltas: [12, -12, 8, -4], reference: 100, count: 0)])
    }

    @Test func `a packet that comes after its loss was reported is reported with everything behind it`() {
        var recorder = TransportWideRecorder()
        for sequence: UInt16 in [10, 12, 13] { recorder.packetReceived(sequence: sequence, at: at(0)) }
        _ = poll(&recorder, at: 100_000)
        recorder.packetReceived(sequence: 11, at: at(110_000))
        let told = poll(&recorder, at: 200_000)
        // 110 ms lie in the second 64 ms tick, 184 quarter milliseconds into it.
        #expect(told == [Told(base: 11, deltas: [184, -440, 0], reference: 101, count: 1)])
    }

    @Test func `sequence numbers wrap`() {
        var recorder = TransportWideRecorder()
        for (index, sequence) in [65_534, 65_535, 0, 1].enumerated() {
            recorder.packetReceived(sequence: UInt16(sequence), at: at(index * 250))
        }
        let told = poll(&recorder, at: 100_000)
        #expect(told == [Told(base: 65_534, deltas: [0, 1, 1, 1], reference: 100, count: 0)])
    }

    @Test func `more packets than fit are split, and the parts fit together`() {
        var recorder = TransportWideRecorder()
        for index in 0..<25 { recorder.packetReceived(sequence: UInt16(index), at: at(index * 1000)) }
        let told = poll(&recorder, at: 100_000, room: 10)
        #expect(told.map(\.base) == [0, 10, 20])
        #expect(told.map(\.deltas.count) == [10, 10, 5])
        #expect(told.map(\.count) == [0, 1, 2])
        #expect(told[1].deltas.first == 40)
    }

    @Test func `a delta beyond 16 bits starts a new feedback`() {
        var recorder = TransportWideRecorder()
        recorder.packetReceived(sequence: 0, at: at(0))
        recorder.packetReceived(sequence: 1, at: at(8_191_750))
        recorder.packetReceived(sequence: 2, at: at(8_191_750 + 8_192_000))
        let told = poll(&recorder, at: 20_000_000)
        #expect(told.map(\.base) == [0, 2])
        #expect(told[0].deltas == [0, 32_767])
        #expect(told[1].deltas.count == 1)
    }

    @Test func `a gap longer than a feedback passes over its losses`() {
        var recorder = TransportWideRecorder()
        recorder.packetReceived(sequence: 0, at: at(0))
        recorder.packetReceived(sequence: 5000, at: at(1000))
        let told = poll(&recorder, at: 100_000)
        #expect(told.first?.deltas == [0])
        #expect(told.last?.deltas.compactMap { $0 } == [4])
        #expect(told.last.map { Int($0.base) + $0.deltas.count } == 5001)
    }

    @Test func `a restarted counter starts over`() {
        var recorder = TransportWideRecorder()
        recorder.packetReceived(sequence: 0, at: at(0))
        recorder.packetReceived(sequence: 20_000, at: at(0))
        let told = poll(&recorder, at: 100_000)
        #expect(told == [Told(base: 20_000, deltas: [0], reference: 100, count: 0)])
    }

    @Test func `a packet older than the window is not reported again`() {
        var recorder = TransportWideRecorder()
        for sequence: UInt16 in [10, 12, 13] { recorder.packetReceived(sequence: sequence, at: at(0)) }
        _ = poll(&recorder, at: 100_000)
        recorder.packetReceived(sequence: 14, at: at(700_000))
        _ = poll(&recorder, at: 800_000)
        recorder.packetReceived(sequence: 11, at: at(810_000))
        let told = poll(&recorder, at: 1_000_000)
        #expect(told == [])
    }

    @Test func `the feedback count wraps at 256, and each arrival of a lossy stream is reported once`() {
        var recorder = TransportWideRecorder()
        var state: UInt64 = 7
        var told: [UInt64: Int] = [:]
        var sent: [UInt64: Bool] = [:]
        var extended: UInt64 = 0
        var feedbacks = 0
        for time in 0..<40_000 {
            state = state &* 6_364_136_223_846_793_005 &+ 1_442_695_040_888_963_407
            let arrives = (state >> 33) % 10 != 0
            sent[extended] = arrives
            if arrives { recorder.packetReceived(sequence: UInt16(truncatingIfNeeded: extended), at: at(time * 1000)) }
            extended += 1
            for feedback in poll(&recorder, at: time * 1000) {
                #expect(feedback.count == UInt8(truncatingIfNeeded: feedbacks))
                feedbacks += 1
                let behind = UInt64(UInt16(truncatingIfNeeded: extended) &- feedback.base)
                for (offset, delta) in feedback.deltas.enumerated() {
                    let number = extended - behind + UInt64(offset)
                    #expect(sent[number] == (delta != nil))
                    told[number, default: 0] += 1
                }
            }
        }
        #expect(feedbacks > 300)
        #expect(told.values.allSatisfy { $0 == 1 })
        #expect(told.count > 39_800)
    }
}
