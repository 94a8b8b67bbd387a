/// What one consumer waits for: the key frame that starts it or brings other layers, and the one that its receiver or a
/// program asked for.
///
/// A wish is open until a key frame of its encoding has come, and while it is, its shard renews it with the producer's. For
/// a second after one was granted the next wish for the same encoding only waits: a receiver that asks all the time must
/// not make its sender encode nothing but key frames for everybody.
///
/// A receiver that asks again soon after a key frame, and again, and has lost nothing meanwhile, cannot decode what it
/// gets. What it waits for doubles then, up to half a minute.
struct KeyFrameWish {
    enum Cause {
        case start
        case receiver
    }

    /// From a key frame that was asked for to the next request of the same consumer.
    static let distance = MediaDuration.seconds(1)
    /// Open wishes are renewed as often as this, well within `KeyFrameRequester.lease`.
    static let renewal = MediaDuration.milliseconds(200)
    /// A request that comes later after a key frame has a cause of its own.
    static let memory = MediaDuration.seconds(10)
    /// How many key frames in a row may be of no use before the next ones are delayed.
    static let patience: UInt8 = 3
    static let longestDistance = MediaDuration.seconds(30)

    /// Encodings; −1: none.
    private var start: Int8 = -1
    private var receiver: Int8 = -1
    private var granted: Int8 = -1
    /// Whether the shard has it on its list of open wishes.
    var isListed = false
    /// How many key frames in a row did not help the receiver, although it lost nothing. Not in snapshots: it is soon
    /// counted again.
    private(set) var unhelpful: UInt8 = 0
    /// Whether a key frame was granted since the last request, and nothing reported lost: one that comes now counts.
    private var isCounted = false
    private var startSince = MediaInstant(nanoseconds: 0)
    private var receiverSince = MediaInstant(nanoseconds: 0)
    private var grantedAt = MediaInstant(nanoseconds: 0)

    /// The encoding of an open wish.
    func encoding(of cause: Cause) -> Int? {
        let encoding = cause == .start ? start : receiver
        return encoding < 0 ? nil : Int(encoding)
    }

    /// - Returns: whether the wish is new.
    mutating func open(_ cause: Cause, encoding: Int, at now: MediaInstant) -> Bool {
        guard self.encoding(of: cause) != encoding else { return false }
        switch cause {
        case .start: (start, startSince) = (Int8(truncatingIfNeeded: encoding), now)
        case .receiver:
            (receiver, receiverSince) = (Int8(truncatingIfNeeded: encoding), now)
            if encoding != Int(granted) || now - grantedAt >= Self.memory {
                unhelpful = 0
            } else if isCounted {
                unhelpful = min(unhelpful, .max - 1) + 1
            }
            isCounted = false
        }
        return true
    }

    /// The receiver reported that packets did not reach it: what it asks for may help.
    mutating func lossReported() {
        isCounted = false
        unhelpful = 0
    }

    /// Whether key frames have not helped the receiver for so long that its requests are delayed.
    var isHopeless: Bool { unhelpful > Self.patience }

    /// Whether a key frame of the wish's encoding that came then grants it.
    func isGranted(_ cause: Cause, by keyFrame: MediaInstant?) -> Bool {
        guard let keyFrame, encoding(of: cause) != nil else { return false }
        return keyFrame >= (cause == .start ? startSince : receiverSince)
    }

    /// A wish is granted, or pointless.
    /// - Parameter keyFrame: when the newest key frame of its encoding came.
    mutating func close(_ cause: Cause, keyFrame: MediaInstant?) {
        if let keyFrame, isGranted(cause, by: keyFrame) {
            let encoding = cause == .start ? start : receiver
            if encoding != granted || keyFrame != grantedAt { isCounted = true }
            (granted, grantedAt) = (encoding, keyFrame)
        }
        switch cause {
        case .start: start = -1
        case .receiver: receiver = -1
        }
    }

    /// A receiver that has stopped asking can decode again.
    mutating func forget(at now: MediaInstant) {
        if encoding(of: .receiver) == nil, now - grantedAt >= Self.memory { unhelpful = 0 }
    }

    /// Whether an encoding may be asked for.
    func isDue(_ cause: Cause, encoding: Int, at now: MediaInstant) -> Bool {
        encoding != Int(granted) || now - grantedAt >= distance(of: cause)
    }

    private func distance(of cause: Cause) -> MediaDuration {
        guard isHopeless, cause == .receiver else { return Self.distance }
        return min(Self.distance * (1 << Int(min(unhelpful - Self.patience, 5))), Self.longestDistance)
    }

    /// A different source's packets come from now on.
    mutating func sourceChanged() {
        (start, receiver, granted) = (-1, -1, -1)
        unhelpful = 0
    }
}

// MARK: Snapshot

extension KeyFrameWish: Restorable {
    init(restoring reader: inout SnapshotReader) throws(WireError) {
        let encodings = -1...Int8(SourceEncodings.capacity - 1)
        start = try reader.read(in: encodings)
        receiver = try reader.read(in: encodings)
        granted = try reader.read(in: encodings)
        isListed = try reader.read()
        startSince = try reader.read()
        receiverSince = try reader.read()
        grantedAt = try reader.read()
    }

    func write(to writer: inout SnapshotWriter) {
        writer.write(start)
        writer.write(receiver)
        writer.write(granted)
        writer.write(isListed)
        writer.write(startSince)
        writer.write(receiverSince)
        writer.write(grantedAt)
    }
}
