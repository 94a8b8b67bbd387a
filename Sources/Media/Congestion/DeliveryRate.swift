/// How fast packets arrive, and the most that has arrived without a sign of congestion.
struct DeliveryRate {
    /// Packets sent within this time of the first one are one group.
    private static let groupSpan = MediaDuration.milliseconds(5)
    private static let groupCount = 128
    private static let provenBucket = MediaDuration.seconds(5)

    private var groups = [PacketGroup](repeating: PacketGroup(), count: groupCount)
    /// Groups since the start, the open one not counted.
    private var closedCount: UInt64 = 0
    private var open = PacketGroup()
    private var hasOpen = false
    /// The best rate of each five seconds of the last minute.
    private var provenRates = InlineArray<12, UInt64>(repeating: 0)
    private var provenBucketNumber: UInt64 = 0

    init() {}

    mutating func packetArrived(_ report: PacketReport) {
        guard hasOpen else { return begin(report) }
        // What was sent before the group and is reported late belongs to it as well as to any other.
        if report.sentAt - open.firstSentAt > Self.groupSpan {
            groups[Int(closedCount % UInt64(Self.groupCount))] = open
            closedCount += 1
            return begin(report)
        }
        open.lastSentAt = max(open.lastSentAt, report.sentAt)
        open.lastArrivedAt = max(open.lastArrivedAt, report.arrivedAt)
        open.bytes += UInt64(report.size)
    }

    private mutating func begin(_ report: PacketReport) {
        hasOpen = true
        open = PacketGroup(
            firstSentAt: report.sentAt, lastSentAt: report.sentAt, lastArrivedAt: report.arrivedAt,
            bytes: UInt64(report.size))
    }

    /// The receiver's clock jumped: what arrived before does not compare with what comes.
    mutating func restart() {
        closedCount = 0
        hasOpen = false
    }

    /// Bits per second over the packets that arrived last; `nil` before there are two groups.
    ///
    /// The slower one of sending and receiving counts: a burst that was held up arrives faster than any path is.
    func rate(over window: MediaDuration) -> UInt64? {
        guard hasOpen, closedCount > 0 else { return nil }
        var bytes = open.bytes
        var first = open
        var newestArrival = open.lastArrivedAt
        var number = closedCount
        let oldest = closedCount - min(closedCount, UInt64(Self.groupCount))
        while number > oldest {
            let group = groups[Int((number - 1) % UInt64(Self.groupCount))]
            newestArrival = max(newestArrival, group.lastArrivedAt)
            first = group
            if newestArrival &- group.lastArrivedAt >= window.nanoseconds { break }
            bytes += group.bytes
            number -= 1
        }
        // The first group only marks the beginning.
        if number == oldest { bytes -= first.bytes }
        let received = newestArrival &- first.lastArrivedAt
        let sent = (open.lastSentAt - first.lastSentAt).nanoseconds
        let span = max(received, sent)
        guard span > 0 else { return nil }
        return Bitrate.of(bytes: bytes, in: MediaDuration(nanoseconds: span))
    }

    // MARK: Proven rate

    /// The most that arrived within the last minute while nothing was congested.
    var proven: UInt64 {
        var most: UInt64 = 0
        for index in provenRates.indices { most = max(most, provenRates[index]) }
        return most
    }

    mutating func prove(_ rate: UInt64, at now: MediaInstant) {
        age(to: now)
        let index = Int(provenBucketNumber % 12)
        provenRates[index] = max(provenRates[index], rate)
    }

    /// Nothing above this is proven any more: the path was found full.
    mutating func disprove(above rate: UInt64) {
        for index in provenRates.indices { provenRates[index] = min(provenRates[index], rate) }
    }

    private mutating func age(to now: MediaInstant) {
        let number = now.nanoseconds / UInt64(Self.provenBucket.nanoseconds)
        guard number > provenBucketNumber else { return }
        let passed = min(number - provenBucketNumber, 12)
        for step in 0..<passed { provenRates[Int((number - step) % 12)] = 0 }
        provenBucketNumber = number
    }
}

// MARK: Snapshot

extension DeliveryRate: Restorable {
    init(restoring reader: inout SnapshotReader) throws(WireError) {
        closedCount = try reader.readCounter()
        for number in closedCount - min(closedCount, UInt64(Self.groupCount))..<closedCount {
            groups[Int(number % UInt64(Self.groupCount))] = try reader.read()
        }
        open = try reader.read()
        hasOpen = try reader.read()
        for index in provenRates.indices { provenRates[index] = try reader.read(in: 0...Bitrate.largest) }
        provenBucketNumber = try reader.readCounter()
    }

    func write(to writer: inout SnapshotWriter) {
        writer.write(closedCount)
        for number in closedCount - min(closedCount, UInt64(Self.groupCount))..<closedCount {
            writer.write(groups[Int(number % UInt64(Self.groupCount))])
        }
        writer.write(open)
        writer.write(hasOpen)
        writer.write(provenRates)
        writer.write(provenBucketNumber)
    }
}
