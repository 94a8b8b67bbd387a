@testable import RoundhouseMedia

/// A policy to compare with: the published constants of libwebrtc's delay-based estimator, its loss steps and its probes
/// when idle, as media servers use them. Written from their description; not the code that they run.
final class ReferencePolicy: Policy {
    private struct Group {
        var firstSent = 0.0
        var lastSent = 0.0
        var lastArrival = 0.0
    }

    private var rate: Double
    private var sent: [UInt16: (size: Int, at: Double)] = [:]
    private var reference: Int32?
    private var referenceTime = 0.0
    private var group: Group?
    private var previous: Group?
    private var accumulated = 0.0
    private var smoothed = 0.0
    private var points: [(at: Double, delay: Double)] = []
    private var deltas = 0
    private var threshold = 12.5
    private var overSince: Double?
    private var lastSlope = 0.0
    private var acked: [(at: Double, size: Int)] = []
    private var updatedAt: Double?
    private var reducedAt = -10.0
    private var linkCapacity: Double?
    private var lossPackets = 0
    private var lossLost = 0
    private var lossCap = 1e12
    private var lossAt = 0.0
    private var demand = BandwidthDemand()
    private var isFirstFeedback = true
    private var nextProbeAt = 0.0
    private var probe: (goal: Double, from: Double, until: Double, sent: Double)?
    private var probeBytes: [(sent: Double, arrival: Double, size: Int)] = []
    private var recentSent: [(at: Double, size: Int)] = []

    init(start: UInt64, at now: MediaInstant) { rate = Double(start) }

    private static func seconds(_ instant: MediaInstant) -> Double {
        Double(instant.nanoseconds) / 1e9
    }

    var estimate: UInt64 { UInt64(max(min(rate, lossCap), 30_000)) }
    var budget: UInt64 { estimate }
    var raiseBudget: UInt64 { estimate }
    var relief: Relief { .none }
    var violations: Set<String> { [] }
    var summary: String { "est \(estimate / 1000)" }

    func packetSent(number: UInt16, size: Int, kind: SentKind, at now: MediaInstant) {
        let at = Self.seconds(now)
        sent[number] = (size, at)
        recentSent.append((at, size))
        if recentSent.count > 2_000 { recentSent.removeFirst(1_000) }
        if probe != nil { probe!.sent += Double(size) }
    }

    func setDemand(_ demand: BandwidthDemand, at now: MediaInstant) { self.demand = demand }

    func advance(to now: MediaInstant) {}

    func takeFiller(at now: MediaInstant) -> Int {
        let at = Self.seconds(now)
        guard let running = probe, at < running.until else { return 0 }
        let due = running.goal / 8 * (at - running.from + 0.002) - running.sent
        return due > 200 ? Int(min(due, 12_000)) : 0
    }

    func feedbackReceived(_ bytes: [UInt8], at now: MediaInstant) {
        let at = Self.seconds(now)
        bytes.withUnsafeBytes { buffer in
            var reader = RTCPCompoundReader(buffer)
            guard let packet = try? reader.next(),
                let feedback = try? TransportWideFeedback(parsing: packet)
            else {
                return
            }
            let step = reference.map { Double(((feedback.referenceTime &- $0) << 8) >> 8) * 0.064 } ?? 0
            reference = feedback.referenceTime
            referenceTime += step
            for packet in feedback.packets {
                guard let record = sent[packet.sequenceNumber.rawValue] else { continue }
                lossPackets += 1
                guard let ticks = packet.arrival else {
                    lossLost += 1
                    continue
                }
                sent[packet.sequenceNumber.rawValue] = nil
                arrived(record, at: referenceTime + Double(ticks) * 0.000_25)
            }
        }
        if isFirstFeedback {
            isFirstFeedback = false
            startProbe(rate * 3, at: at)
        }
        update(at: at)
    }

    private func arrived(_ record: (size: Int, at: Double), at arrival: Double) {
        acked.append((arrival, record.size))
        while let first = acked.first, arrival - first.at > 1 || acked.count > 500 {
            acked.removeFirst()
        }
        if let running = probe, record.at >= running.from, record.at <= running.until + 0.001 {
            probeBytes.append((record.at, arrival, record.size))
        }
        guard var open = group else {
            group = Group(firstSent: record.at, lastSent: record.at, lastArrival: arrival)
            return
        }
        if record.at < open.firstSent { return }
        if record.at - open.firstSent <= 0.005 {
            open.lastSent = max(open.lastSent, record.at)
            open.lastArrival = max(open.lastArrival, arrival)
            group = open
            return
        }
        if let previous {
            let delta =
                ((open.lastArrival - previous.lastArrival) - (open.lastSent - previous.lastSent)) * 1_000
            trend(
                delta, at: open.lastArrival * 1_000, interval: (open.lastSent - previous.lastSent) * 1_000)
        }
        previous = open
        group = Group(firstSent: record.at, lastSent: record.at, lastArrival: arrival)
    }

    private var state = 0

    private func trend(_ delta: Double, at now: Double, interval: Double) {
        deltas = min(deltas + 1, 1_000)
        accumulated += delta
        smoothed = 0.9 * smoothed + 0.1 * accumulated
        points.append((now, smoothed))
        if points.count > 20 { points.removeFirst() }
        guard points.count == 20 else { return }
        let meanX = points.reduce(0) { $0 + $1.at } / 20
        let meanY = points.reduce(0) { $0 + $1.delay } / 20
        let top = points.reduce(0) { $0 + ($1.at - meanX) * ($1.delay - meanY) }
        let bottom = points.reduce(0) { $0 + ($1.at - meanX) * ($1.at - meanX) }
        let slope = bottom > 0 ? top / bottom : 0
        let modified = Double(min(deltas, 60)) * slope * 4
        if modified > threshold {
            if overSince == nil { overSince = now - interval / 2 }
            if now - (overSince ?? now) > 10, slope >= lastSlope { state = 1 }
        } else {
            overSince = nil
            state = modified < -threshold ? -1 : 0
        }
        lastSlope = slope
        if abs(modified) <= threshold + 15 {
            let factor = abs(modified) < threshold ? 0.039 : 0.0087
            threshold += factor * (abs(modified) - threshold) * min(interval, 100)
            threshold = min(max(threshold, 6), 600)
        }
    }

    private var ackedRate: Double? {
        guard let first = acked.first, let last = acked.last, acked.count >= 10, last.at > first.at
        else { return nil }
        return Double(acked.dropFirst().reduce(0) { $0 + $1.size }) * 8 / (last.at - first.at)
    }

    private func update(at now: Double) {
        let elapsed = min(now - (updatedAt ?? now), 1)
        updatedAt = now
        finishProbe(at: now)
        if now - lossAt > 0.35, lossPackets >= 20 {
            let loss = Double(lossLost) / Double(lossPackets)
            // The newer loss model's bound: what random loss it tolerates depends on the rate.
            lossCap =
                loss > 0.1 ? min(lossCap, max(100_000 / (loss - 0.05), ackedRate ?? 0)) : lossCap * 1.08
            lossPackets = 0
            lossLost = 0
            lossAt = now
        }
        guard let measured = ackedRate else { return }
        switch state {
        case 1:
            if now - reducedAt > 0.2 || measured < rate / 2 {
                rate = min(rate, 0.85 * measured)
                linkCapacity = linkCapacity.map { $0 * 0.95 + measured * 0.05 } ?? measured
                reducedAt = now
            }
        case -1: break
        default:
            guard rate < 1.5 * measured + 10_000 else { break }
            if let known = linkCapacity, measured > known * 1.3 || measured < known * 0.6 {
                linkCapacity = nil
            }
            rate += linkCapacity == nil ? rate * 0.08 * elapsed : max(4_000, 9_600 / 0.3) * elapsed
            rate = min(rate, 1.5 * measured + 10_000)
        }
        let used =
            Double(recentSent.reversed().prefix { now - $0.at < 0.5 }.reduce(0) { $0 + $1.size }) * 16
        if used < rate * 0.65, now >= nextProbeAt, demand.nextStep > 0, state == 0 {
            nextProbeAt = now + 5
            startProbe(min(rate * 2, Double(demand.wanted) * 2), at: now)
        }
    }

    private func startProbe(_ goal: Double, at now: Double) {
        guard probe == nil else { return }
        probe = (goal, now, now + max(0.015, 5 * 1_200 * 8 / goal), 0)
        probeBytes = []
    }

    private func finishProbe(at now: Double) {
        guard let running = probe, now > running.until + 0.15 else { return }
        probe = nil
        guard let first = probeBytes.first, let last = probeBytes.last, probeBytes.count >= 5 else {
            return
        }
        let bytes = Double(probeBytes.dropFirst().reduce(0) { $0 + $1.size })
        let sendRate = bytes * 8 / max(last.sent - first.sent, 0.001)
        let receiveRate = bytes * 8 / max(last.arrival - first.arrival, 0.001)
        guard receiveRate / sendRate <= 2 else { return }
        let result = receiveRate < 0.9 * sendRate ? 0.95 * receiveRate : min(sendRate, receiveRate)
        if state == 0 {
            rate = max(result, min(rate, 0.85 * (ackedRate ?? 0)))
            if result > 0.7 * running.goal, running.goal < Double(demand.wanted) * 2 {
                startProbe(result * 2, at: now)
            }
        }
    }
}
