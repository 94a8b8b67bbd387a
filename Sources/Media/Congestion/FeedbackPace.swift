/// How often a sender is to get transport-wide feedback: every 50 ms while it finds out what its path carries, while packets
/// get lost, and above 1 Mb/s; every 250 ms for nothing but sound; else every 100 ms.
///
/// libwebrtc's receivers take 5 % of what they believe the sender sends, between 50 and 250 ms
/// (`transport_sequence_number_feedback_generator.cc`).
struct FeedbackPace: Equatable {
    static let shortest = MediaDuration.milliseconds(50)
    static let usual = MediaDuration.milliseconds(100)
    static let longest = MediaDuration.milliseconds(250)
    /// Below it there is only sound, in bits per second.
    private static let sound: UInt64 = 100_000
    private static let high: UInt64 = 1_000_000
    /// How long a sender's rate is watched closely once it has doubled.
    private static let ramp = MediaDuration.seconds(10)

    private var bytes: UInt64 = 0
    private var at: MediaInstant?
    private(set) var interval = FeedbackPace.usual
    /// The rate when it was looked at last, in bits per second.
    private var rate: UInt64 = 0
    private var isCloseUntil = MediaInstant(nanoseconds: 0)

    /// To be called when feedback has been given.
    /// - Parameters:
    ///   - received: all bytes of the sender's so far.
    ///   - isLosing: whether packets were missing.
    mutating func feedbackGiven(received: UInt64, isLosing: Bool, at now: MediaInstant) {
        let passed = at.map { max((now - $0).milliseconds, 1) } ?? 0
        let grown = received > bytes ? received - bytes : 0
        (bytes, at) = (received, now)
        guard passed > 0 else { return }
        let before = rate
        rate = min(grown, 1 << 40) * 8_000 / UInt64(passed)
        if rate > 2 * max(before, Self.sound / 2) { isCloseUntil = now + Self.ramp }
        if rate < Self.sound {
            interval = Self.longest
        } else {
            interval = isLosing || rate > Self.high || now < isCloseUntil ? Self.shortest : Self.usual
        }
    }
}

// MARK: Snapshot

extension FeedbackPace: Restorable {
    init(restoring reader: inout SnapshotReader) throws(WireError) {
        bytes = try reader.readCounter()
        at = try reader.readOptional()
        let nanoseconds: UInt64 = try reader.read(in: 50_000_000...250_000_000)
        interval = MediaDuration(nanoseconds: Int64(nanoseconds))
        rate = try reader.readCounter()
        isCloseUntil = try reader.read()
    }

    func write(to writer: inout SnapshotWriter) {
        writer.write(bytes)
        writer.writeOptional(at)
        writer.write(UInt64(max(interval.nanoseconds, 0)))
        writer.write(rate)
        writer.write(isCloseUntil)
    }
}
