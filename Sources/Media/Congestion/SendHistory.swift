/// Remembers the packets that were sent with transport-wide numbers until their fate is settled.
///
/// A number is lost if a report says so and no later one takes it back; a number that no report mentions is forgotten,
/// not lost: the feedback was.
///
/// Memory: 8 bytes a packet, 512 packets at first, doubled up to 4096 while packets of two seconds do not fit.
struct SendHistory {
    private static let initialCapacity = 512
    private static let maximumCapacity = 4096
    private static let timeShift: UInt64 = 14
    /// What has to fit before the ring is left as it is.
    private static let span = MediaDuration.seconds(2)

    private var ring = [SentPacket](repeating: SentPacket(), count: initialCapacity)
    /// Numbers remembered: `start..<end`, extended; the first packet gets cycle one.
    private var start: UInt64 = 0
    private var end: UInt64 = 0
    /// Numbers below are settled.
    private var settled: UInt64 = 0
    /// Behind the newest number that was ever reported, now, one and two reports ago.
    private var reported = InlineArray<3, UInt64>(repeating: 0)
    /// Bytes of which nothing has been heard yet.
    private(set) var bytesInFlight: UInt64 = 0
    private(set) var packetsSent: UInt64 = 0
    private(set) var packetsReceived: UInt64 = 0
    private(set) var packetsLost: UInt64 = 0
    /// Packets that no report has mentioned.
    private(set) var packetsForgotten: UInt64 = 0
    /// Reports of numbers that were never sent, or are forgotten.
    private(set) var unmatched: UInt64 = 0
    /// Reports of arrivals that had been reported before.
    private(set) var duplicates: UInt64 = 0

    /// Packets whose fate is open.
    var packetsInFlight: UInt64 { packetsSent &- packetsReceived &- packetsLost &- packetsForgotten }
    /// The extended number of the newest packet; zero before the first one.
    var newest: UInt64 { end == 0 ? 0 : end - 1 }

    private static func stamp(_ instant: MediaInstant) -> UInt32 {
        UInt32(truncatingIfNeeded: instant.nanoseconds >> timeShift)
    }

    /// The instant that a stamp meant, at most 19 hours before `now`.
    private static func instant(of stamp: UInt32, before now: MediaInstant) -> MediaInstant {
        let age = self.stamp(now) &- stamp
        return MediaInstant(nanoseconds: ((now.nanoseconds >> timeShift) &- UInt64(age)) << timeShift)
    }

    private func index(_ number: UInt64) -> Int { Int(truncatingIfNeeded: number) & (ring.count - 1) }

    /// - Parameter ownQueue: in units of 2 ms.
    mutating func packetSent(number: UInt16, size: Int, ownQueue: UInt8, at now: MediaInstant) {
        if end == 0 { begin(at: 0x1_0000 | UInt64(number)) }
        let step = number &- UInt16(truncatingIfNeeded: end)
        if step != 0 {
            // A number at or behind the newest is our own mistake, and a jump a restarted counter.
            guard step < 0x8000 else { return }
            skip(UInt64(step))
        }
        if end - start == UInt64(ring.count) { makeRoom(at: now) }
        ring[index(end)] = SentPacket(
            sentAt: Self.stamp(now), size: UInt16(clamping: size), state: .inFlight, ownQueue: ownQueue)
        end += 1
        packetsSent &+= 1
        bytesInFlight &+= UInt64(UInt16(clamping: size))
    }

    private mutating func begin(at number: UInt64) {
        start = number
        end = number
        settled = number
        reported = InlineArray(repeating: number)
    }

    private mutating func skip(_ count: UInt64) {
        var settledLate = SettledPackets()
        for _ in 0..<min(count, UInt64(ring.count)) {
            if end - start == UInt64(ring.count) { forgetOldest(into: &settledLate) }
            ring[index(end)] = SentPacket()
            end += 1
        }
        let left = count - min(count, UInt64(ring.count))
        guard left > 0 else { return }
        while start < end { forgetOldest(into: &settledLate) }
        begin(at: end + left)
    }

    private mutating func makeRoom(at now: MediaInstant) {
        let age = now - Self.instant(of: ring[index(start)].sentAt, before: now)
        if age < Self.span, ring.count < Self.maximumCapacity { return grow() }
        var settledLate = SettledPackets()
        forgetOldest(into: &settledLate)
    }

    private mutating func grow() {
        var larger = [SentPacket](repeating: SentPacket(), count: ring.count * 2)
        for number in start..<end { larger[Int(truncatingIfNeeded: number) & (larger.count - 1)] = ring[index(number)] }
        ring = larger
    }

    private mutating func forgetOldest(into result: inout SettledPackets) {
        if settled == start { settle(start, into: &result) }
        start += 1
        settled = max(settled, start)
        for index in reported.indices { reported[index] = max(reported[index], start) }
    }

    private mutating func settle(_ number: UInt64, into result: inout SettledPackets) {
        let packet = ring[index(number)]
        switch packet.state {
        case .absent: return
        case .inFlight:
            packetsForgotten &+= 1
            bytesInFlight &-= UInt64(packet.size)
            return
        case .reportedLost:
            packetsLost &+= 1
            result.lostPackets += 1
            result.lostBytes += UInt64(packet.size)
        case .received:
            packetsReceived &+= 1
        }
        result.packets += 1
        result.bytes += UInt64(packet.size)
    }

    /// What a feedback says of one number.
    /// - Parameter arrivedAt: on the timeline of arrivals; `nil`: it has not arrived.
    /// - Returns: the packet, the first time that its arrival or its loss is reported.
    mutating func reported(_ number: UInt16, arrivedAt: Int64?, at now: MediaInstant) -> PacketReport? {
        let back = UInt64(UInt16(truncatingIfNeeded: newest) &- number)
        guard end > 0, back < end - start else {
            unmatched &+= 1
            return nil
        }
        let extended = newest - back
        reported[0] = max(reported[0], extended + 1)
        let position = index(extended)
        let state = ring[position].state
        guard let arrivedAt else {
            guard state == .inFlight, extended >= settled else { return nil }
            ring[position].state = .reportedLost
            bytesInFlight &-= UInt64(ring[position].size)
            return report(ring[position], arrivedAt: nil, at: now)
        }
        switch state {
        case .absent:
            unmatched &+= 1
            return nil
        case .received:
            duplicates &+= 1
            return nil
        case .inFlight: bytesInFlight &-= UInt64(ring[position].size)
        case .reportedLost:
            // Settled as lost: too late to be taken back in the counters.
            guard extended >= settled else {
                duplicates &+= 1
                return nil
            }
        }
        ring[position].state = .received
        let packet = ring[position]
        if extended < settled {
            // It was given up unmentioned; what it tells is true all the same.
            packetsForgotten &-= 1
            packetsReceived &+= 1
            bytesInFlight &+= UInt64(packet.size)
        }
        return report(packet, arrivedAt: arrivedAt, at: now)
    }

    private func report(_ packet: SentPacket, arrivedAt: Int64?, at now: MediaInstant) -> PacketReport {
        PacketReport(
            size: Int(packet.size), sentAt: Self.instant(of: packet.sentAt, before: now), isLost: arrivedAt == nil,
            arrivedAt: arrivedAt ?? 0, ownQueue: Int64(packet.ownQueue) * 2_000_000)
    }

    /// Ends a feedback: settles the packets that two feedbacks ago were the newest reported ones.
    mutating func feedbackEnded(at now: MediaInstant) -> SettledPackets {
        var result = SettledPackets()
        let limit = min(max(reported[2], settled), end)
        while settled < limit {
            settle(settled, into: &result)
            settled += 1
        }
        if result.packets > 0 { result.lastSentAt = Self.instant(of: ring[index(settled - 1)].sentAt, before: now) }
        reported[2] = reported[1]
        reported[1] = reported[0]
        return result
    }
}

// MARK: Snapshot

extension SendHistory: Restorable {
    private static let snapshotVersion: UInt8 = 1

    init(restoring reader: inout SnapshotReader) throws(WireError) {
        try reader.readVersion(Self.snapshotVersion)
        let capacity = try reader.readCount(atMost: Self.maximumCapacity)
        guard capacity >= Self.initialCapacity, capacity & (capacity - 1) == 0 else { throw .malformed }
        ring = [SentPacket](repeating: SentPacket(), count: capacity)
        end = try reader.readCounter()
        guard end == 0 || end >= 0x1_0000 else { throw .malformed }
        start = try reader.read(in: end - min(end, UInt64(capacity))...end)
        settled = try reader.read(in: start...end)
        for index in reported.indices { reported[index] = try reader.read(in: start...end) }
        for number in start..<end { ring[index(number)] = try reader.read() }
        bytesInFlight = try reader.readCounter()
        packetsSent = try reader.readCounter()
        packetsReceived = try reader.readCounter()
        packetsLost = try reader.readCounter()
        packetsForgotten = try reader.readCounter()
        unmatched = try reader.readCounter()
        duplicates = try reader.readCounter()
    }

    func write(to writer: inout SnapshotWriter) {
        writer.writeUInt8(Self.snapshotVersion)
        writer.writeCount(ring.count)
        writer.write(end)
        writer.write(start)
        writer.write(settled)
        writer.write(reported)
        for number in start..<end { writer.write(ring[index(number)]) }
        for counter in [
            bytesInFlight, packetsSent, packetsReceived, packetsLost, packetsForgotten, unmatched, duplicates,
        ] { writer.write(counter) }
    }
}
