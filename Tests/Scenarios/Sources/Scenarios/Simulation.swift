@testable import RoundhouseMedia

/// One call over one path, in virtual time.
final class Simulation {
    private static let origin = 1_000.0

    let path: Path
    let load: Load
    let duration: Double
    private let policy: any Policy
    private var bottleneck: Bottleneck
    private var random: Randomness
    private var receiver: Receiver
    private var feedbackInFlight: [(bytes: [UInt8], at: Double)] = []
    private var number: Int
    private var cameras: [Camera]
    private var pending: [(size: Int, frame: Int, at: Double)] = []
    private var frames = 0
    private var elasticAt = 0.0
    private var nextAudioAt = 0.0
    private var nextAllocationAt = 0.0
    var isTracing = false
    private(set) var record = Record()
    /// Rules that were broken.
    private(set) var violations: Set<String> = []

    init(
        _ path: Path, load: Load, duration: Double, seed: UInt64, policy: (MediaInstant) -> any Policy
    ) {
        self.path = path
        self.load = load
        self.duration = duration
        self.policy = policy(Self.instant(0))
        bottleneck = Bottleneck(path, seed: seed &* 7 &+ 1)
        random = Randomness(seed: seed)
        receiver = Receiver(clock: path.clock, interval: path.feedbackInterval)
        number = 65_534 + Int(seed % 3)
        cameras = (0..<load.cameras).map { Camera(phase: 0.1 + Double($0) * 0.007) }
        elasticAt = 0.1
    }

    private static func instant(_ time: Double) -> MediaInstant {
        MediaInstant(nanoseconds: UInt64((time + origin) * 1_000_000_000))
    }

    func run() {
        var tick = 0.0
        var nextTraceAt = 0.0
        var nextSampleAt = 0.0
        while tick < duration {
            let now = Self.instant(tick)
            deliver(at: tick)
            while let first = feedbackInFlight.first, first.at <= tick {
                policy.feedbackReceived(first.bytes, at: now)
                feedbackInFlight.removeFirst()
                allocate(at: tick)
            }
            if tick >= nextAllocationAt {
                nextAllocationAt = tick + 0.1
                allocate(at: tick)
            }
            produce(at: tick)
            policy.advance(to: now)
            var filler = policy.takeFiller(at: now)
            while filler > 0 {
                let size = min(max(filler, 300), 1_200)
                send(size: size, kind: .padding, frame: -1, at: tick)
                filler -= size
            }
            if tick >= nextSampleAt {
                nextSampleAt += 0.01
                record.sample(
                    at: tick, estimate: Double(policy.estimate), capacity: path.rate(tick),
                    layers: cameras.map(\.layer))
            }
            if isTracing, tick >= nextTraceAt {
                nextTraceAt += 0.1
                let wait = Int(bottleneck.wait(at: tick) * 1_000)
                let layers = cameras.map { "\($0.layer).\($0.temporal)\($0.isPausedByRelief ? "P" : "")" }
                let time = Double(Int(tick * 100)) / 100
                let capacity = Int(path.rate(tick) / 1_000)
                print("\(time) cap \(capacity) wait \(wait) \(policy.summary) \(layers) \(policy.relief)")
            }
            // A loaded shard looks late at times.
            tick += random.chance(0.01) ? random.uniform(0.003, 0.02) : 0.001
        }
        violations.formUnion(policy.violations)
        // What the controller promises: a part of what is sent for its own sake, and a few probes at first.
        if !load.isElastic, record.fillerBytes > record.sentBytes / 16 + 250_000 {
            violations.insert("too much filler")
        }
        record.dropped = bottleneck.dropped
        record.switches = cameras.reduce(0) { $0 + $1.switches }
        record.duration = duration
    }

    private func deliver(at now: Double) {
        bottleneck.drain(to: now)
        while let (packet, at) = bottleneck.next(until: now) {
            report(until: at)
            receiver.packetReceived(packet.number, at: at)
            record.arrived(packet, at: at)
        }
        report(until: now)
    }

    private func report(until now: Double) {
        while let (bytes, at) = receiver.feedback(until: now) {
            if random.chance(path.feedbackLoss) { continue }
            let sent = max(path.feedbackHeld(at), at)
            feedbackInFlight.append((bytes, sent + path.delay(sent) + path.feedbackDelay))
            feedbackInFlight.sort { $0.at < $1.at }
        }
    }

    private func send(size: Int, kind: SentKind, frame: Int, at now: Double) {
        let packet = WirePacket(number: number, size: size, kind: kind, sentAt: now, frame: frame)
        number += 1
        policy.packetSent(
            number: UInt16(truncatingIfNeeded: packet.number), size: size, kind: kind,
            at: Self.instant(now))
        record.sent(packet)
        bottleneck.send(packet, at: now)
    }

    private func produce(at now: Double) {
        while nextAudioAt <= now {
            nextAudioAt += 0.02
            if !load.isQuiet(now) { send(size: 120, kind: .audio, frame: -1, at: now) }
        }
        if load.isElastic, policy.relief < .audioOnly {
            while elasticAt <= now {
                elasticAt += 1 / 30.0
                let rate = min(Double(policy.estimate), load.limit) - 48_000
                let bytes = max(rate, 10_000) / 8 / 30 * random.uniform(0.8, 1.2)
                queueFrame(Int(bytes), at: now)
            }
        }
        for index in cameras.indices where !load.isQuiet(now) {
            for size in cameras[index].frames(until: now, random: &random) { queueFrame(size, at: now) }
        }
        // As publishers' pacers do: a frame within a few milliseconds.
        while let first = pending.first, first.at <= now {
            pending.removeFirst()
            send(size: first.size, kind: .video, frame: first.frame, at: now)
        }
    }

    private func queueFrame(_ bytes: Int, at now: Double) {
        frames += 1
        let count = (bytes + 1_199) / 1_200
        record.frameSent(frames, packets: count, at: now)
        for index in 0..<count {
            let size = bytes / count + (index < bytes % count ? 1 : 0)
            pending.append((max(size, 60), frames, now + 0.001 * Double(index / 4)))
        }
        pending.sort { $0.at < $1.at }
    }

    private func allocate(at now: Double) {
        let time = Self.instant(now)
        let audio: UInt64 = 48_000
        if load.isElastic {
            let limit = UInt64(load.limit)
            let allocated = min(policy.estimate, limit)
            let step = min(allocated + allocated * 3 / 10, limit)
            policy.setDemand(
                BandwidthDemand(allocated: allocated, nextStep: step > allocated ? step : 0, wanted: limit),
                at: time)
            return
        }
        guard !cameras.isEmpty else {
            policy.setDemand(BandwidthDemand(allocated: audio, nextStep: 0, wanted: audio), at: time)
            return
        }
        for index in cameras.indices {
            let others = cameras.indices.filter { $0 != index }.reduce(audio) { $0 + cameras[$1].cost }
            let budget = policy.budget > others ? policy.budget - others : 0
            let raise = policy.raiseBudget > others ? policy.raiseBudget - others : 0
            cameras[index].allocate(budget: budget, raise: raise, relief: policy.relief, at: now)
        }
        let allocated = cameras.reduce(audio) { $0 + $1.cost }
        let steps = cameras.compactMap { camera in camera.nextCost.map { allocated - camera.cost + $0 }
        }
        policy.setDemand(
            BandwidthDemand(
                allocated: allocated, nextStep: steps.min() ?? 0,
                wanted: audio + UInt64(cameras.count) * Camera.cost(2)), at: time)
    }
}
