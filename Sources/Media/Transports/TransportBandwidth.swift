/// What one receiver's network carries, and how its videos share it.
struct TransportBandwidth: ~Copyable {
    var controller: CongestionController
    var allocator = LayerAllocator()
    /// What sound costs.
    private var audio = RateWindow()
    /// IP and UDP headers of each packet.
    private var overhead = 28
    /// When the first packet was numbered.
    private var firstSentAt: MediaInstant?
    /// What was known and decided lately. Not in snapshots: nothing depends on it.
    var history = BandwidthHistory()
    /// What the client was sent of it last, and when. Not in snapshots: a restored shard says it again.
    private var reported: (report: BandwidthReport, at: MediaInstant)?
    /// When layers are shared out next, whatever happens.
    private(set) var nextAllocation: MediaInstant
    /// The estimate by which they were last. Not in snapshots: a change makes no difference for long.
    private var allocatedEstimate: UInt64 = 0
    /// Whether the estimate bound what was shared out last.
    private var isBinding = true
    /// What consumers that catch up may be sent now, in bytes, and since when. Not in snapshots: it is little.
    private var burst: (bytes: Int, at: MediaInstant)?

    /// How often layers are shared out without a cause.
    private static let interval = MediaDuration.milliseconds(100)
    /// The same while everything wanted is sent, and where nothing bounds it.
    private static let idleInterval = MediaDuration.milliseconds(300)
    private static let unboundInterval = MediaDuration.seconds(1)
    /// A client that has said nothing of packets for so long says nothing at all.
    private static let patience = MediaDuration.seconds(1)
    /// What is shared out where nobody knows the network.
    private static let unbounded: UInt64 = 1 << 40

    init(_ limits: BitrateLimits, at now: MediaInstant) {
        controller = CongestionController(limits, at: now)
        nextAllocation = now
    }

    /// Something is to be done for it.
    var nextDeadline: MediaInstant {
        guard isBinding, let deadline = controller.nextDeadline else { return nextAllocation }
        return min(deadline, nextAllocation)
    }

    /// - Parameter isIPv6: of the address packets are sent to.
    mutating func routeChanged(isIPv6: Bool, at now: MediaInstant) {
        overhead = isIPv6 ? 48 : 28
        controller.pathChanged(at: now)
    }

    /// A packet left that has a transport-wide number.
    /// - Parameter length: of the datagram.
    @inline(__always)
    mutating func packetSent(_ number: UInt16, length: Int, _ kind: SentKind, at now: MediaInstant) {
        let size = length + overhead
        if kind == .audio { audio.add(bytes: size, at: now) }
        if firstSentAt == nil { firstSentAt = now }
        controller.packetSent(number: number, size: size, kind: kind, at: now)
    }

    /// Whether what is sent is bound by the estimate: not if the client tells nothing of what arrives.
    func isBound(at now: MediaInstant) -> Bool {
        controller.hasFeedback || firstSentAt.map { now - $0 < Self.patience } ?? true
    }

    /// How many packets may be sent at once of what is cached: twice as fast as the network is believed to carry, since
    /// nothing else is sent to that consumer meanwhile, and no more than 200 ms of it at a time.
    mutating func takeBurst(of packets: Int, at now: MediaInstant) -> Int {
        guard isBound(at: now) else { return packets }
        let most = Int(controller.state.estimate / 8 / 5)
        let passed = burst.map { Int(max((now - $0.at).milliseconds, 0)) } ?? 200
        let saved = min(most, (burst?.bytes ?? 0) + Int(controller.state.estimate / 8) * 2 * min(passed, 200) / 1000)
        let taken = min(packets, saved / Self.packetSize)
        burst = (saved - taken * Self.packetSize, taken > 0 || passed > 0 ? now : burst?.at ?? now)
        return taken
    }

    private static let packetSize = 1250

    /// Whether what was shared out last has to be looked at before its time.
    var isUrgent: Bool {
        controller.relief > .none || controller.state.estimate < allocatedEstimate - allocatedEstimate / 20
    }

    /// What the client should be sent of it, at most once a second.
    mutating func takeReport(at now: MediaInstant) -> BandwidthReport? {
        guard isBinding, controller.hasFeedback else { return nil }
        let sound = audio.bitrate(at: now)
        let report = BandwidthReport(
            available: controller.state.estimate, desired: allocator.wanted + sound,
            allocated: allocator.allocated + sound)
        if let reported {
            guard now - reported.at >= .seconds(1), report.isNews(after: reported.report) else { return nil }
        }
        reported = (report, now)
        return report
    }

    /// Shares out what the network carries.
    /// - Parameter ladders: what each consumer can be sent.
    mutating func allocate(among ladders: inout [LayerLadder], at now: MediaInstant) {
        isBinding = isBound(at: now)
        guard isBinding else {
            nextAllocation = now + Self.unboundInterval
            allocatedEstimate = 0
            allocator.allocate(.init(keeping: Self.unbounded, raising: Self.unbounded), among: &ladders, at: now)
            return
        }
        let state = controller.state
        allocatedEstimate = state.estimate
        let sound = audio.bitrate(at: now)
        let hasOnlySound = controller.relief == .audioOnly
        // A start is a guess, and its first key frame comes before the first feedback.
        let raising = controller.hasFeedback ? controller.raiseBudget : controller.raiseBudget * 2 / 3
        allocator.allocate(
            LayerAllocator.Budget(
                keeping: hasOnlySound || controller.budget < sound ? 0 : controller.budget - sound,
                raising: hasOnlySound || raising < sound ? 0 : raising - sound,
                isCongested: controller.relief > .none, mayPauseAll: controller.relief >= .pause,
                roundTripTime: state.roundTripTime), among: &ladders, at: now)
        controller.setDemand(
            BandwidthDemand(
                allocated: allocator.allocated + sound,
                nextStep: allocator.nextStep == 0 ? 0 : allocator.nextStep + sound, wanted: allocator.wanted + sound),
            at: now)
        nextAllocation = now + (allocator.nextStep > 0 ? Self.interval : Self.idleInterval)
        history.observe(state, allocated: allocator.allocated + sound, wanted: allocator.wanted + sound, at: now)
    }
}

// MARK: Snapshot

extension TransportBandwidth: Restorable {
    init(restoring reader: inout SnapshotReader) throws(WireError) {
        self.init(BitrateLimits(), at: MediaInstant(nanoseconds: 0))
        try reader.readVersion(1)
        controller = try reader.read()
        audio = try reader.read()
        overhead = Int(try reader.readUInt8())
        firstSentAt = try reader.readOptional()
        isBinding = try reader.read()
        allocator = try reader.read()
        nextAllocation = try reader.read()
    }

    func write(to writer: inout SnapshotWriter) {
        writer.writeUInt8(1)
        writer.write(controller)
        writer.write(audio)
        writer.writeUInt8(UInt8(clamping: overhead))
        writer.writeOptional(firstSentAt)
        writer.write(isBinding)
        writer.write(allocator)
        writer.write(nextAllocation)
    }
}
