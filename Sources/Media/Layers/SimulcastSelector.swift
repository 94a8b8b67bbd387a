/// Which encoding of a simulcast producer one consumer gets: the highest active one, switched on its key frames.
///
///     none ──key frame of target──▶ current ──target differs: ask; key frame of target──▶ current := target
///
/// Encodings are in rising order of quality. Ask `encodingWanted` regularly and after each packet of a new encoding; while
/// it is not `nil`, its key frame is worth a request (`KeyFrameRequester` merges them).
struct SimulcastSelector {
    enum Decision: Hashable, Sendable {
        /// Not the encoding being sent.
        case discard
        case forward
        /// The first packet of another encoding: synchronise numbers and timestamps, then forward.
        case switchAndForward
    }

    static let maxEncodings = 8
    /// An encoding without a packet for this long is not there.
    static let timeout = MediaDuration.milliseconds(1500)

    private let count: Int
    private var lastPacketAt = InlineArray<8, UInt64>(repeating: 0)
    private var everSeen: UInt8 = 0
    /// The highest encoding the consumer wants, its preferred layer.
    var limit: Int
    /// The encoding being sent.
    private(set) var current: Int?

    /// - Parameter encodings: 1...8; more are ignored.
    init(encodings: Int) {
        count = min(max(encodings, 1), Self.maxEncodings)
        limit = count - 1
    }

    /// The highest encoding with a packet within `timeout`, not above `limit`; `nil` when none has.
    func target(at now: MediaInstant) -> Int? {
        var index = min(limit, count - 1)
        while index >= 0 {
            if isActive(index, at: now) { return index }
            index -= 1
        }
        return nil
    }

    /// The encoding whose key frame would allow a wanted switch; `nil` when the current one is the target.
    func encodingWanted(at now: MediaInstant) -> Int? {
        guard let target = target(at: now), target != current else { return nil }
        return target
    }

    /// Judges one packet of the producer.
    /// - Parameter isKeyFrame: whether decoding can start with this packet; always `true` for codecs without key frames.
    mutating func packetReceived(encoding: Int, isKeyFrame: Bool, at now: MediaInstant) -> Decision {
        guard encoding >= 0, encoding < count else { return .discard }
        lastPacketAt[encoding] = now.nanoseconds
        everSeen |= 1 << UInt8(encoding)
        if encoding == current { return .forward }
        guard isKeyFrame, encoding == target(at: now) else { return .discard }
        current = encoding
        return .switchAndForward
    }

    /// The consumer or producer was paused, or the source restarted: begin with a key frame again.
    mutating func reset() { current = nil }

    private func isActive(_ encoding: Int, at now: MediaInstant) -> Bool {
        guard everSeen & (1 << UInt8(encoding)) != 0 else { return false }
        return now - MediaInstant(nanoseconds: lastPacketAt[encoding]) < Self.timeout
    }
}
