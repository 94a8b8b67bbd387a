/// What one receiver's network carries, and how its videos share it.
struct TransportBandwidth: ~Copyable {
    private var controller: CongestionController
    private(set) var allocator = LayerAllocator()
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
    /// Where all that goes in is written down; `nil` while nobody wants that. Not in snapshots.
    private(set) var recorder: BandwidthRecorder?
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

    /// What is known of the network.
    var state: BandwidthState { controller.state }
    /// Whether packets get lost.
    var isLosing: Bool { controller.state.loss > 0 || controller.state.inherentLoss > 0 }
    /// Whether the client says what arrives.
    var hasFeedback: Bool { controller.hasFeedback }

    // MARK: What goes in

    /// - Parameter isIPv6: of the address packets are sent to.
    mutating func routeChanged(isIPv6: Bool, at now: MediaInstant) {
        recorder?.note(.route, at: now) { $0.write(isIPv6) }
        overhead = isIPv6 ? 48 : 28
        controller.pathChanged(at: now)
    }

    /// A packet left that has a transport-wide number.
    /// - Parameter length: of the datagram.
    @inline(__always)
    mutating func packetSent(_ number: UInt16, length: Int, _ kind: SentKind, at now: MediaInstant) {
        if recorder != nil { recordSent(number, length: length, kind, at: now) }
        let size = length + overhead
        if kind == .audio { audio.add(bytes: size, at: now) }
        if firstSentAt == nil { firstSentAt = now }
        controller.packetSent(number: number, size: size, kind: kind, at: now)
    }

    @inline(never)
    private mutating func recordSent(_ number: UInt16, length: Int, _ kind: SentKind, at now: MediaInstant) {
        recorder?.note(.sent, at: now) { writer in
            writer.writeUInt16(number)
            writer.writeUInt16(UInt16(clamping: length))
            writer.write(kind)
        }
    }

    mutating func feedbackReceived(_ feedback: TransportWideFeedback, at now: MediaInstant) {
        recorder?.note(.feedback, at: now) { $0.writeCounted(feedback.packet) }
        controller.feedbackReceived(feedback, at: now)
    }

    /// The client's own estimate (REMB), in bits per second.
    mutating func estimateReceived(_ bitrate: UInt64, at now: MediaInstant) {
        recorder?.note(.estimate, at: now) { $0.writeUInt64(bitrate) }
        controller.estimateReceived(bitrate, at: now)
    }

    /// What the path takes while more waits at this end, as of TCP, in bits per second.
    mutating func drained(_ bitrate: UInt64, at now: MediaInstant) {
        recorder?.note(.drain, at: now) { $0.writeUInt64(bitrate) }
        controller.drained(bitrate, at: now)
    }

    /// - Parameter fractionLost: in 1/256, as a receiver report says.
    mutating func reportReceived(fractionLost: UInt8, roundTripTime: MediaDuration?, at now: MediaInstant) {
        recorder?.note(.report, at: now) { writer in
            writer.writeUInt8(fractionLost)
            writer.writeOptional(roundTripTime)
        }
        controller.reportReceived(fractionLost: fractionLost, roundTripTime: roundTripTime, at: now)
    }

    /// To be called when the time of the controller has come.
    /// - Returns: how many bytes that nobody asked for are to be sent now; `nil` if its time has not come.
    mutating func advance(to now: MediaInstant) -> Int? {
        guard let deadline = controller.nextDeadline, deadline <= now else { return nil }
        recorder?.note(.advance, at: now)
        controller.advance(to: now)
        return controller.takeFiller(at: now)
    }

    mutating func add(_ consumer: Slot<ShardConsumer>, priority: UInt8, at now: MediaInstant) {
        recorder?.note(.join, at: now) { writer in
            writer.write(consumer)
            writer.writeUInt8(priority)
        }
        allocator.add(consumer, priority: priority)
    }

    mutating func remove(_ consumer: Slot<ShardConsumer>, at now: MediaInstant) {
        recorder?.note(.leave, at: now) { $0.write(consumer) }
        allocator.remove(consumer)
    }

    mutating func setPriority(_ priority: UInt8, of consumer: Slot<ShardConsumer>, at now: MediaInstant) {
        recorder?.note(.priority, at: now) { writer in
            writer.write(consumer)
            writer.writeUInt8(priority)
        }
        allocator.setPriority(priority, of: consumer)
    }

    mutating func setLimits(_ limits: BitrateLimits, at now: MediaInstant) {
        recorder?.note(.limits, at: now) { $0.write(limits) }
        controller.setLimits(limits, at: now)
    }

    // MARK: What comes out

    /// Whether what is sent is bound by the estimate: not if the client tells nothing of what arrives.
    func isBound(at now: MediaInstant) -> Bool {
        controller.hasFeedback || firstSentAt.map { now - $0 < Self.patience } ?? true
    }

    /// How many packets may be sent at once of what is cached: twice as fast as the network is believed to carry, since
    /// nothing else is sent to that consumer meanwhile, and no more than 200 ms of it at a time.
    mutating func takeBurst(of packets: Int, at now: MediaInstant) -> Int {
        recorder?.note(.burst, at: now) { $0.writeUInt16(UInt16(clamping: packets)) }
        guard isBound(at: now) else { return packets }
        let most = Int(controller.state.estimate / 8 / 5)
        let passed = burst.map { Int(min(max((now - $0.at).microseconds, 0), 200_000)) } ?? 200_000
        let saved = min(most, (burst?.bytes ?? 0) + Int(controller.state.estimate / 8) * 2 * passed / 1_000_000)
        let taken = min(packets, saved / Self.packetSize)
        burst = (saved - taken * Self.packetSize, now)
        return taken
    }

    /// What was taken is counted as full packets; what they really were is known once they are sent.
    mutating func burstSent(_ bytes: Int, of packets: Int) {
        guard let burst else { return }
        self.burst = (burst.bytes + max(packets * Self.packetSize - bytes, 0), burst.at)
    }

    private static let packetSize = 1250

    /// Whether what was shared out last has to be looked at before its time.
    var isUrgent: Bool {
        controller.relief > .none || controller.state.estimate < allocatedEstimate - allocatedEstimate / 20
    }

    /// Layers are shared out as soon as the shard looks at its timers.
    mutating func allocateSoon(at now: MediaInstant) { nextAllocation = min(nextAllocation, now) }

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

    /// What data may have beside pictures, in bits per second: what those leave, and a tenth at least. `mayGrow`: nothing says
    /// that the path is full, so that it may try more. `nil`: nothing is known of the path.
    var dataShare: (rate: UInt64, mayGrow: Bool)? {
        guard isBinding, controller.hasFeedback else { return nil }
        let (estimate, wanted) = (controller.state.estimate, allocator.wanted)
        let left = estimate > wanted ? estimate - wanted : 0
        return (
            max(left, estimate / 10, Self.leastDataRate),
            controller.state.verdict == .normal && allocator.allocated >= wanted
        )
    }

    private static let leastDataRate: UInt64 = 30_000

    /// Shares out what the network carries.
    /// - Parameter ladders: what each consumer can be sent.
    mutating func allocate(among ladders: inout [LayerLadder], at now: MediaInstant) {
        defer { recorder?.shared(ladders, allocator.shares, estimate: controller.state.estimate, at: now) }
        if controller.takeProbePassed() { allocator.releaseHold() }
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
                nextStep: allocator.stepToProve == 0 ? 0 : allocator.stepToProve + sound,
                wanted: allocator.wanted + sound),
            at: now)
        nextAllocation = now + (allocator.nextStep > 0 ? Self.interval : Self.idleInterval)
        history.observe(state, allocated: allocator.allocated + sound, wanted: allocator.wanted + sound, at: now)
    }

    // MARK: Recordings

    /// Begins to write down what goes in, from here on. The machines go on as their snapshot would, so that a replay is the same
    /// to the last bit.
    mutating func startRecording(at now: MediaInstant) {
        let snapshot = written
        guard var begun = try? Self.restored(snapshot) else { return }
        swap(&begun.history, &history)
        (begun.reported, begun.recorder) = (reported, BandwidthRecorder(snapshot, at: now))
        self = begun
    }

    mutating func stopRecording() { recorder = nil }

    /// What has been written down so far, with its end; `nil` if nothing is.
    func recording(at now: MediaInstant) -> [UInt8]? { recorder?.ended(written, at: now) }

    private var written: [UInt8] {
        var writer = SnapshotWriter()
        write(to: &writer)
        return writer.bytes
    }

    static func restored(_ snapshot: [UInt8]) throws(WireError) -> TransportBandwidth {
        var reader = SnapshotReader(snapshot)
        let bandwidth = try TransportBandwidth(restoring: &reader)
        guard reader.isAtEnd else { throw .malformed }
        return bandwidth
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
