@testable import RoundhouseMedia

/// A bottleneck with a queue, and a receiver behind it that gives feedback each 50 ms, in virtual time.
struct VirtualPath: ~Copyable {
    /// Bits per second.
    var rate: UInt64
    var queueTime = MediaDuration.milliseconds(300)
    var delay = MediaDuration.milliseconds(25)
    /// Every so many packets one is lost; zero: none.
    var lossEvery = 0
    var givesFeedback = true
    private(set) var controller: CongestionController
    private(set) var now = MediaInstant(nanoseconds: 1_000_000_000_000)
    private(set) var queue = MediaDuration.zero
    private var freeAt = MediaInstant(nanoseconds: 0)
    private var number: UInt16 = 65_530
    private var arrivals: [(number: UInt16, at: MediaInstant, isLost: Bool)] = []
    private var feedbackAt: MediaInstant?
    private var count: UInt8 = 0
    private var sentPackets = 0

    init(rate: UInt64, limits: BitrateLimits = BitrateLimits()) {
        self.rate = rate
        controller = CongestionController(limits, at: now)
    }

    mutating func withController(_ body: (inout CongestionController, MediaInstant) -> Void) {
        body(&controller, now)
    }

    mutating func replaceController(_ other: consuming CongestionController) { controller = other }

    mutating func send(_ size: Int, _ kind: SentKind) {
        controller.packetSent(number: number, size: size, kind: kind, at: now)
        sentPackets += 1
        let begin = max(freeAt, now)
        queue = begin - now
        if queue > queueTime || (lossEvery > 0 && sentPackets % lossEvery == 0) {
            arrivals.append((number, begin + delay, true))
        } else {
            freeAt = begin + MediaDuration(nanoseconds: Int64(UInt64(size) * 8_000_000_000 / max(rate, 1)))
            arrivals.append((number, freeAt + delay, false))
        }
        number &+= 1
    }

    /// Sends video of a rate with 30 frames a second, and filler if it is asked for.
    mutating func run(for duration: MediaDuration, sending bitrate: (inout CongestionController) -> UInt64) {
        let end = now + duration
        var nextFrameAt = now
        while now < end {
            if now >= nextFrameAt {
                nextFrameAt = nextFrameAt + .microseconds(33_333)
                var left = Int(bitrate(&controller) / 240)
                while left > 0 {
                    send(min(left, 1_200), .video)
                    left -= 1_200
                }
            }
            var filler = controller.takeFiller(at: now)
            while filler > 0 {
                send(min(max(filler, 200), 1_200), .padding)
                filler -= 1_200
            }
            if let due = feedbackAt, now >= due {
                feedbackAt = nil
                giveFeedback()
            }
            if feedbackAt == nil { feedbackAt = now + .milliseconds(50) }
            if let due = controller.nextDeadline, now >= due { controller.advance(to: now) }
            now = now + .milliseconds(1)
        }
    }

    private mutating func giveFeedback() {
        let arrived = arrivals.prefix { $0.at + delay <= now }
        guard let base = arrived.first?.number, arrived.contains(where: { !$0.isLost }) else { return }
        arrivals.removeFirst(arrived.count)
        guard givesFeedback else { return }
        let ticks = arrived.map { $0.isLost ? nil : Int($0.at.nanoseconds / 250_000) }
        let first = ticks.compactMap(\.self).first ?? 0
        var last = first / 256 * 256
        let statuses = ticks.map { tick -> TransportWideArrival in
            guard let tick, let status = TransportWideArrival(deltaTicks: tick - last) else { return .notReceived }
            last = tick
            return status
        }
        feedback(base: base, reference: Int32(truncatingIfNeeded: first / 256), statuses: statuses)
    }

    mutating func feedback(base: UInt16, reference: Int32, statuses: [TransportWideArrival]) {
        var bytes = [UInt8](repeating: 0, count: 20 + 4 * statuses.count)
        let now = now
        bytes.withUnsafeMutableBytes { buffer in
            var writer = ByteWriter(buffer)
            try? TransportWideFeedback.write(
                senderSSRC: SSRC(1), mediaSSRC: SSRC(2), baseSequence: SequenceNumber(base),
                referenceTime: reference, feedbackCount: count, arrivals: statuses, into: &writer)
        }
        count &+= 1
        bytes.withUnsafeBytes { buffer in
            var reader = RTCPCompoundReader(buffer)
            if let packet = try? reader.next(), let feedback = try? TransportWideFeedback(parsing: packet) {
                controller.feedbackReceived(feedback, at: now)
            }
        }
    }
}
