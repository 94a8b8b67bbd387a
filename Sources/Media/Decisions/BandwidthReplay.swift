// Safe: a packet's bytes outlive the parser that looks at them.

/// Decides again what was recorded of a transport, and compares.
public struct BandwidthReplay {
    /// Why a recording cannot be replayed.
    public struct Failure: Error, Equatable, CustomStringConvertible {
        /// In bytes from the file's beginning.
        public let offset: Int
        /// What is wrong there.
        public let message: String

        /// Both.
        public var description: String { "offset \(offset): \(message)" }
    }

    /// One sharing out of layers.
    public struct Decision: Sendable {
        /// Since the recording's beginning.
        public let time: MediaDuration
        /// What was known of the network.
        public let state: BandwidthState
        /// What each consumer was given, in the order they came, and why no more; `nil` for nothing.
        public let consumers: [(layers: ConsumerLayers?, reason: LayerReason)]
        /// Whether some consumer was given something else than before.
        public let isChange: Bool
    }

    /// How many inputs were replayed.
    public private(set) var inputs = 0
    /// How long they took.
    public private(set) var duration = MediaDuration.zero
    /// Where what was decided differs from the recording for the first time; `nil` if it is the same to the last bit.
    public private(set) var firstDifference: Int?
    /// The recording as this program makes it.
    public private(set) var bytes: [UInt8] = []
    /// Whether the recording was cut off, as it is when it becomes too large.
    public private(set) var isCutOff = false

    /// Consumers that a recording may have at a time: as many as a peer may.
    private static let mostConsumers = 4_096

    private var reader: SnapshotReader
    private var now = MediaInstant(nanoseconds: 0)
    private var ladders: [LayerLadder] = []

    /// Replays a whole recording.
    /// - Parameter each: called for each decision.
    /// - Throws: `Failure` for bytes that are no recording, or are damaged.
    public init(_ recording: [UInt8], each: (Decision) -> Void = { _ in }) throws(Failure) {
        reader = SnapshotReader(recording)
        do throws(WireError) {
            guard try reader.readBytes(4) == BandwidthRecorder.magic else { throw .unexpectedType }
            try reader.readVersion(BandwidthRecorder.version)
            now = try reader.read()
            let snapshot = try reader.readBytes(Int(try reader.readUInt32()))
            var bandwidth = try TransportBandwidth.restored(snapshot)
            bandwidth.startRecording(at: now)
            let begin = now
            while try replayNext(of: &bandwidth, since: begin, each) { inputs += 1 }
            duration = now - begin
        } catch {
            throw Failure(offset: reader.offset, message: Self.message(of: error))
        }
        firstDifference = zip(bytes, recording).enumerated().first { $0.element.0 != $0.element.1 }?.offset
        if firstDifference == nil, bytes.count != recording.count {
            firstDifference = min(bytes.count, recording.count)
        }
    }

    private static func message(of error: WireError) -> String {
        switch error {
        case .truncated: "the recording ends in the middle of something"
        case .malformed: "this is no value that a server writes"
        case .unsupportedVersion: "another version of the server wrote this"
        case .unexpectedType: "this is no recording: it does not begin with RHBW"
        case .tooLarge: "more of something than a server allows"
        case .noSpace: "no space is left"
        }
    }

    /// - Returns: `false` at the end.
    private mutating func replayNext(
        of bandwidth: inout TransportBandwidth, since begin: MediaInstant, _ each: (Decision) -> Void
    ) throws(WireError) -> Bool {
        if reader.isAtEnd {
            bytes = bandwidth.recorder?.bytes ?? []
            isCutOff = true
            return false
        }
        guard let input = BandwidthInput(rawValue: try reader.readUInt8()) else { throw .malformed }
        let passed = try reader.readUInt64()
        guard passed <= 1 << 52, now.nanoseconds <= 1 << 62 else { throw .malformed }
        now = MediaInstant(nanoseconds: now.nanoseconds + passed)
        switch input {
        case .sent:
            let number = try reader.readUInt16()
            let length = Int(try reader.readUInt16())
            bandwidth.packetSent(number, length: length, try reader.read(), at: now)
        case .feedback: try replayFeedback(try reader.readCounted(), &bandwidth)
        case .estimate: bandwidth.estimateReceived(try reader.readUInt64(), at: now)
        case .report:
            let fractionLost = try reader.readUInt8()
            let time: MediaDuration? = try reader.readOptional(in: .zero...MediaDuration.seconds(3_600))
            bandwidth.reportReceived(fractionLost: fractionLost, roundTripTime: time, at: now)
        case .route: bandwidth.routeChanged(isIPv6: try reader.read(), at: now)
        case .advance: _ = bandwidth.advance(to: now)
        case .join:
            guard bandwidth.allocator.shares.count < Self.mostConsumers else { throw .tooLarge }
            let consumer: Slot<ShardConsumer> = try reader.read()
            bandwidth.add(consumer, priority: try reader.read(in: 1...255), at: now)
        case .leave: bandwidth.remove(try reader.read(), at: now)
        case .priority:
            let consumer: Slot<ShardConsumer> = try reader.read()
            bandwidth.setPriority(try reader.read(in: 1...255), of: consumer, at: now)
        case .share: each(try replayShare(&bandwidth, since: begin))
        case .limits: bandwidth.setLimits(try reader.read(), at: now)
        case .drain: bandwidth.drained(try reader.readUInt64(), at: now)
        case .burst: _ = bandwidth.takeBurst(of: Int(try reader.readUInt16()), at: now)
        case .end:
            _ = try reader.readBytes(Int(try reader.readUInt32()))
            guard reader.isAtEnd else { throw .malformed }
            bytes = bandwidth.recording(at: now) ?? []
            return false
        }
        return true
    }

    private func replayFeedback(_ packet: [UInt8], _ bandwidth: inout TransportBandwidth) throws(WireError) {
        let result = unsafe packet.withUnsafeBytes { bytes -> Result<Void, WireError> in
            do throws(WireError) {
                var compound = unsafe RTCPCompoundReader(bytes)
                guard let view = try compound.next() else { throw .truncated }
                bandwidth.feedbackReceived(try TransportWideFeedback(parsing: view), at: now)
                return .success(())
            } catch {
                return .failure(error)
            }
        }
        try result.get()
    }

    private mutating func replayShare(
        _ bandwidth: inout TransportBandwidth, since begin: MediaInstant
    ) throws(WireError) -> Decision {
        let count = try reader.readCount(atMost: Self.mostConsumers)
        var choices: [LayerLadder] = []
        for index in 0..<count {
            let isSame: Bool = try reader.read()
            guard !isSame || index < ladders.count else { throw .malformed }
            choices.append(isSame ? ladders[index] : try reader.read())
        }
        ladders = choices
        guard count == bandwidth.allocator.shares.count else { throw .malformed }
        let before = bandwidth.allocator.shares.map(\.target)
        bandwidth.allocate(among: &choices, at: now)
        // What was decided then is compared as a whole, with everything else.
        _ = try reader.readUInt64()
        for _ in 0..<count { _ = try reader.readOptional() as LayerPosition? }
        return Decision(
            time: now - begin, state: bandwidth.state,
            consumers: bandwidth.allocator.shares.map { share in
                (
                    share.target.map {
                        ConsumerLayers(spatial: UInt8(clamping: $0.spatial), temporal: UInt8(clamping: $0.temporal))
                    }, share.reason
                )
            }, isChange: before != bandwidth.allocator.shares.map(\.target))
    }
}
