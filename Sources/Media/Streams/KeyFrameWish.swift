/// What one consumer waits for: the key frame that starts it or brings other layers, and the one that its receiver or a
/// program asked for.
///
/// A wish is open until a key frame of its encoding has come, and while it is, its shard renews it with the producer's. For
/// a second after one was granted the next wish for the same encoding only waits: a receiver that asks all the time must
/// not make its sender encode nothing but key frames for everybody.
struct KeyFrameWish {
    enum Cause {
        case start
        case receiver
    }

    /// From a key frame that was asked for to the next request of the same consumer.
    static let distance = MediaDuration.seconds(1)
    /// Open wishes are renewed as often as this, well within `KeyFrameRequester.lease`.
    static let renewal = MediaDuration.milliseconds(200)

    /// Encodings; −1: none.
    private var start: Int8 = -1
    private var receiver: Int8 = -1
    private var granted: Int8 = -1
    /// Whether the shard has it on its list of open wishes.
    var isListed = false
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
        case .receiver: (receiver, receiverSince) = (Int8(truncatingIfNeeded: encoding), now)
        }
        return true
    }

    /// Whether a key frame of the wish's encoding that came then grants it.
    func isGranted(_ cause: Cause, by keyFrame: MediaInstant?) -> Bool {
        guard let keyFrame, encoding(of: cause) != nil else { return false }
        return keyFrame >= (cause == .start ? startSince : receiverSince)
    }

    /// A wish is granted, or pointless.
    /// - Parameter keyFrame: when the newest key frame of its encoding came.
    mutating func close(_ cause: Cause, keyFrame: MediaInstant?) {
        if let keyFrame, isGranted(cause, by: keyFrame) {
            granted = cause == .start ? start : receiver
            grantedAt = keyFrame
        }
        switch cause {
        case .start: start = -1
        case .receiver: receiver = -1
        }
    }

    /// Whether an encoding may be asked for.
    func isDue(encoding: Int, at now: MediaInstant) -> Bool {
        encoding != Int(granted) || now - grantedAt >= Self.distance
    }

    /// A different source's packets come from now on.
    mutating func sourceChanged() { (start, receiver, granted) = (-1, -1, -1) }
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
