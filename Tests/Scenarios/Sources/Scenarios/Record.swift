@testable import RoundhouseMedia

/// What happened in a simulation, and the figures it comes down to.
struct Record {
    struct Sample {
        var at: Double
        var estimate: Double
        var capacity: Double
        /// Of the first camera.
        var layer: Int
        /// The lowest that any camera has.
        var lowestLayer: Int
    }

    var dropped = 0
    var switches = 0
    var duration = 0.0
    private(set) var samples: [Sample] = []
    private(set) var waits: [(at: Double, wait: Double)] = []
    /// Bytes that arrived in each 100 ms.
    private var arrivedBytes: [Double] = []
    private(set) var sentBytes = 0.0
    private(set) var fillerBytes = 0.0
    private var sentAudio = 0
    private var arrivedAudio = 0
    private var sentPackets: [(at: Double, isAudio: Bool)] = []
    private var framePackets: [Int] = []
    private(set) var frameTimes: [Double] = []

    mutating func sample(at: Double, estimate: Double, capacity: Double, layers: [Int]) {
        samples.append(
            Sample(
                at: at, estimate: estimate, capacity: capacity, layer: layers.first ?? -1,
                lowestLayer: layers.min() ?? -1))
    }

    mutating func sent(_ packet: WirePacket) {
        sentBytes += Double(packet.size)
        if packet.kind == .padding { fillerBytes += Double(packet.size) }
        if packet.kind == .audio { sentAudio += 1 }
    }

    mutating func frameSent(_ frame: Int, packets: Int, at: Double) {
        while framePackets.count <= frame { framePackets.append(0) }
        framePackets[frame] = packets
    }

    mutating func arrived(_ packet: WirePacket, at: Double) {
        let slot = Int(at * 10)
        while arrivedBytes.count <= slot { arrivedBytes.append(0) }
        if packet.kind != .padding { arrivedBytes[slot] += Double(packet.size) }
        waits.append((packet.sentAt, packet.waited))
        if packet.kind == .audio { arrivedAudio += 1 }
        if packet.frame >= 0 {
            framePackets[packet.frame] -= 1
            if framePackets[packet.frame] == 0 { frameTimes.append(at) }
        }
    }

    // MARK: Figures

    /// Bits per second that arrived, fillers not counted.
    func goodput(from begin: Double, to end: Double) -> Double {
        let slots = arrivedBytes.indices.filter { Double($0) / 10 >= begin && Double($0) / 10 < end }
        return slots.reduce(0) { $0 + arrivedBytes[$1] } * 8 / max(end - begin, 0.001)
    }

    func capacity(from begin: Double, to end: Double, limit: Double) -> Double {
        let inside = samples.filter { $0.at >= begin && $0.at < end }
        return inside.reduce(0) { $0 + min($1.capacity, limit) } / Double(max(inside.count, 1))
    }

    func use(from begin: Double, to end: Double, limit: Double) -> Double {
        goodput(from: begin, to: end) / max(capacity(from: begin, to: end, limit: limit), 1)
    }

    /// The first time after `begin` from which on the goodput is so large a part of the capacity for two seconds.
    func timeToReach(_ part: Double, from begin: Double, to end: Double, limit: Double) -> Double {
        var at = begin
        while at + 2 <= end {
            if use(from: at, to: at + 2, limit: limit) >= part { return at - begin }
            at += 0.1
        }
        return end - begin
    }

    /// In milliseconds.
    func queue(percentile: Double, from begin: Double, to end: Double) -> Double {
        let inside = waits.filter { $0.at >= begin && $0.at < end }.map(\.wait).sorted()
        guard !inside.isEmpty else { return 0 }
        return inside[min(Int(Double(inside.count) * percentile), inside.count - 1)] * 1_000
    }

    func overestimated(from begin: Double, to end: Double) -> Double {
        let inside = samples.filter { $0.at >= begin && $0.at < end }
        return Double(inside.count { $0.estimate > $0.capacity }) / Double(max(inside.count, 1))
    }

    func leastEstimate(from begin: Double, to end: Double) -> Double {
        samples.filter { $0.at >= begin && $0.at < end }.map(\.estimate).min() ?? 0
    }

    func timeAtLayer(_ layer: Int, from begin: Double, to end: Double) -> Double {
        let inside = samples.filter { $0.at >= begin && $0.at < end }
        return Double(inside.count { $0.layer >= layer }) / Double(max(inside.count, 1))
    }

    func firstTime(atLayer layer: Int, from begin: Double = 0) -> Double {
        (samples.first { $0.at >= begin && $0.layer >= layer }?.at ?? duration) - begin
    }

    /// When every camera has the layer for the first time.
    func firstTime(allAtLayer layer: Int) -> Double {
        samples.first { $0.lowestLayer >= layer }?.at ?? duration
    }

    /// Seconds from `event` until the estimate is below what the path carries.
    func reaction(to event: Double) -> Double {
        (samples.first { $0.at >= event && $0.estimate <= $0.capacity * 1.05 }?.at ?? duration) - event
    }

    var lossPart: Double { Double(dropped) / Double(max(waits.count + dropped, 1)) }
    var fillerPart: Double { fillerBytes / max(sentBytes, 1) }

    /// Pauses between shown frames of more than thrice the usual one or 150 ms more.
    func freezes(from begin: Double, to end: Double) -> (count: Int, longest: Double) {
        var count = 0
        var longest = 0.0
        var mean = 1 / 30.0
        let times = frameTimes.filter { $0 >= begin && $0 < end }
        for (earlier, later) in zip(times, times.dropFirst()) {
            let gap = later - earlier
            if gap >= max(3 * mean, mean + 0.15) {
                count += 1
                longest = max(longest, gap)
            } else {
                mean += (gap - mean) / 30
            }
        }
        return (count, longest)
    }
}
