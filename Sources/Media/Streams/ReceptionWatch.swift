/// Notices that what a transport's client said it would send does not come, or cannot be used, and says so once.
///
/// It looks at the end of one stretch of time after the other. What was noticed stays until every producer has been heard.
/// After a stretch in which nothing came at all it looks no more until something does: call `begin` then.
struct ReceptionWatch {
    /// Why a packet was of no use.
    enum Refusal: Hashable, Sendable {
        case unknownSSRC, unknownPayloadType, authentication, foreignSource
    }

    /// What the producers that are expected to send got, since a stretch began or something was noticed.
    struct Harvest: Hashable, Sendable {
        var expected = 0
        var unheard = 0
        var withoutKeyFrame = 0
        /// Whether one of them has ever been heard.
        var hasEverHeard = false
    }

    enum Change: Hashable, Sendable {
        case raised(TransportWarning)
        case cleared(TransportWarning.Kind)
        /// Pictures came without one: where nobody watches, nobody has asked.
        case requestKeyFrames
    }

    /// Time for what was announced to come.
    static let patience = MediaDuration.seconds(5)
    /// How often it is looked whether a warning is over.
    static let recheck = MediaDuration.seconds(1)
    /// Fewer useless packets in a stretch are what clients send besides, before signaling caught up.
    static let fewPackets = 5

    /// `never` while it sleeps.
    private var deadline: MediaInstant?
    /// What was noticed and is not over.
    private(set) var raised: TransportWarning.Kind?
    private var hasRequestedKeyFrames = false
    private var refused = 0
    private var newest: (refusal: Refusal, ssrc: SSRC, payloadType: UInt8)?

    var nextDeadline: MediaInstant? { isAsleep ? nil : deadline }

    /// Whether it waits for whatever comes.
    var isAsleep: Bool { deadline == .never }

    /// Media is expected from now on.
    mutating func begin(at now: MediaInstant) {
        deadline = now + (raised == nil ? Self.patience : Self.recheck)
        if raised == nil { forgetRefused() }
    }

    /// Nothing is expected any more.
    /// - Returns: the warning that is over with it.
    mutating func stop() -> TransportWarning.Kind? {
        deadline = nil
        hasRequestedKeyFrames = false
        forgetRefused()
        defer { raised = nil }
        return raised
    }

    mutating func packetRefused(_ refusal: Refusal, ssrc: SSRC, payloadType: UInt8) {
        refused += 1
        newest = (refusal, ssrc, payloadType)
    }

    mutating func deadlineReached(_ harvest: Harvest, at now: MediaInstant) -> Change? {
        let change = judge(harvest)
        let isSilent =
            harvest.expected > 0 && harvest.unheard == harvest.expected && change == nil && (refused == 0 || !mayRaise)
        switch change {
        case .raised(let warning): raised = warning.kind
        case .cleared: raised = nil
        case .requestKeyFrames:
            hasRequestedKeyFrames = true
            deadline = now + Self.recheck
            return change
        case nil: break
        }
        if harvest.withoutKeyFrame == 0 { hasRequestedKeyFrames = false }
        begin(at: now)
        if isSilent { deadline = .never }
        return change
    }

    /// Of what was noticed first, the most that can change is that something comes after all.
    private var mayRaise: Bool { raised == nil || raised == .nothingReceived }

    private func judge(_ harvest: Harvest) -> Change? {
        if let raised, harvest.unheard == 0, harvest.withoutKeyFrame == 0 { return .cleared(raised) }
        if mayRaise, harvest.unheard > 0, refused >= Self.fewPackets, let newest {
            return .raised(
                TransportWarning(
                    newest.refusal.warning, packets: refused, ssrc: newest.ssrc, payloadType: newest.payloadType))
        }
        if harvest.withoutKeyFrame > 0 {
            guard hasRequestedKeyFrames else { return .requestKeyFrames }
            if mayRaise { return .raised(TransportWarning(.noKeyFrame)) }
        }
        guard raised == nil, harvest.unheard > 0, harvest.unheard == harvest.expected, !harvest.hasEverHeard else {
            return nil
        }
        return .raised(TransportWarning(.nothingReceived, packets: refused))
    }

    private mutating func forgetRefused() {
        refused = 0
        newest = nil
    }
}

extension ReceptionWatch.Refusal {
    fileprivate var warning: TransportWarning.Kind {
        switch self {
        case .unknownSSRC: .unmatchedPackets
        case .unknownPayloadType: .unknownPayloadType
        case .authentication: .undecryptablePackets
        case .foreignSource: .foreignPackets
        }
    }
}

// MARK: Snapshot

extension ReceptionWatch: Restorable {
    init(restoring reader: inout SnapshotReader) throws(WireError) {
        deadline = try reader.readOptional()
        raised = try reader.readOptional()
        hasRequestedKeyFrames = try reader.read()
        refused = Int(truncatingIfNeeded: try reader.readCounter())
        guard try reader.read() else { return }
        newest = (try reader.read(), try reader.read(), try reader.read())
    }

    func write(to writer: inout SnapshotWriter) {
        writer.writeOptional(deadline)
        writer.writeOptional(raised)
        writer.write(hasRequestedKeyFrames)
        writer.writeUInt64(UInt64(clamping: refused))
        writer.write(newest != nil)
        guard let newest else { return }
        writer.write(newest.refusal)
        writer.write(newest.ssrc)
        writer.write(newest.payloadType)
    }
}

extension ReceptionWatch.Refusal: Restorable {
    init(restoring reader: inout SnapshotReader) throws(WireError) {
        switch try reader.readUInt8() {
        case 1: self = .unknownSSRC
        case 2: self = .unknownPayloadType
        case 3: self = .authentication
        case 4: self = .foreignSource
        default: throw .malformed
        }
    }

    func write(to writer: inout SnapshotWriter) {
        switch self {
        case .unknownSSRC: writer.writeUInt8(1)
        case .unknownPayloadType: writer.writeUInt8(2)
        case .authentication: writer.writeUInt8(3)
        case .foreignSource: writer.writeUInt8(4)
        }
    }
}
