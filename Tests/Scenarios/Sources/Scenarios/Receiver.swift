@testable import RoundhouseMedia

/// Answers as a browser that only receives does: feedback each 50 ms, times rounded down to milliseconds, and again from
/// a late packet on.
struct Receiver {
    private static let window = 0.5

    private let clock: (Double) -> Double
    private var interval: Double
    private var arrivals: [Int: Double] = [:]
    private var first = 0
    private var end = 0
    private var nextBase = -1
    private var dueAt: Double?
    private var count: UInt8 = 254

    init(clock: @escaping (Double) -> Double, interval: Double) {
        self.clock = clock
        self.interval = interval
    }

    mutating func packetReceived(_ number: Int, at now: Double) {
        if nextBase < 0 {
            nextBase = number
            first = number
            end = number
        }
        guard arrivals[number] == nil, number >= first else { return }
        arrivals[number] = now
        end = max(end, number + 1)
        nextBase = min(nextBase, number)
        if dueAt == nil { dueAt = now + interval }
    }

    /// Feedback that is due by now: its bytes, and when it is sent.
    mutating func feedback(until now: Double) -> (bytes: [UInt8], at: Double)? {
        guard let due = dueAt, due <= now else { return nil }
        dueAt = nil
        defer {
            while first < nextBase, (arrivals[first] ?? 0) < due - Self.window {
                arrivals[first] = nil
                first += 1
            }
        }
        while nextBase < end, arrivals[nextBase] == nil, end - nextBase > 8_000 { nextBase += 1 }
        guard nextBase < end else { return nil }
        var numbers = Array(nextBase..<end)
        while let last = numbers.last, arrivals[last] == nil { numbers.removeLast() }
        guard let received = numbers.compactMap({ arrivals[$0] }).first else { return nil }
        // A browser's clock has milliseconds here; the reference is one of 64.
        let clock = self.clock
        let ticks: (Double) -> Int = { Int((($0 + clock($0)) * 1_000).rounded(.down)) * 4 }
        let reference = Int((Double(ticks(received)) / 256).rounded(.down))
        var last = reference * 256
        var statuses: [TransportWideArrival] = []
        var written = nextBase
        for number in numbers {
            guard let at = arrivals[number] else {
                statuses.append(.notReceived)
                written = number + 1
                continue
            }
            guard let status = TransportWideArrival(deltaTicks: ticks(at) - last) else { break }
            statuses.append(status)
            last = ticks(at)
            written = number + 1
        }
        let base = nextBase
        nextBase = written
        if nextBase < end { dueAt = due }
        var bytes = [UInt8](repeating: 0, count: 40_000)
        let length = bytes.withUnsafeMutableBytes { buffer in
            var writer = ByteWriter(buffer)
            // The buffer holds what fits a feedback.
            try? TransportWideFeedback.write(
                senderSSRC: SSRC(1), mediaSSRC: SSRC(2),
                baseSequence: SequenceNumber(UInt16(truncatingIfNeeded: base)),
                referenceTime: Int32(truncatingIfNeeded: reference), feedbackCount: count,
                arrivals: statuses,
                into: &writer)
            return writer.count
        }
        count &+= 1
        return (Array(bytes[..<length]), due)
    }
}
