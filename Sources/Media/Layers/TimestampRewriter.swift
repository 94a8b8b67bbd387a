/// Keeps a consumer's RTP timestamps on one time line while its source changes.
///
/// The first source passes unchanged. At each switch an offset is chosen that puts the new source where the old one would
/// be now, and never at or before what was sent.
struct TimestampRewriter {
    /// The least step over a switch: one frame at 30 per second.
    static let minStep = MediaDuration.milliseconds(33)
    /// Above this a switch is visibly late: the caller may rather wait for the next key frame.
    static let maxStep = MediaDuration.milliseconds(75)
    /// Sender reports that place a source further than this from where its arrival does are wrong.
    static let mostDeviation = MediaDuration.seconds(5)

    private let clockRate: UInt32
    private var offset: UInt32 = 0
    private var newest: UInt32 = 0
    private var newestAt: MediaInstant?

    init(clockRate: UInt32) { self.clockRate = max(clockRate, 1) }

    /// The newest timestamp sent; `nil` before the first.
    var highest: UInt32? { newestAt == nil ? nil : newest }

    /// A new source begins with a packet of timestamp `first`.
    ///
    /// - Parameters:
    ///   - aligned: `first` on the old source's clock (by `SenderReportInfo` of both, then this rewriter's offset), if
    ///     both have sent reports; else the time passed since the newest packet is used.
    /// - Returns: how far beyond its proper place the source was put to stay monotonic; zero mostly.
    @discardableResult
    mutating func switchSource(first: UInt32, aligned: UInt32? = nil, at now: MediaInstant) -> MediaDuration {
        guard let newestAt else {
            offset = 0
            return .zero
        }
        let wanted = aligned ?? expected(at: now, since: newestAt)
        let step = Int32(bitPattern: wanted &- newest)
        guard step <= 0 else {
            offset = wanted &- first
            return .zero
        }
        let moved = newest &+ Self.minStep.units(of: clockRate)
        offset = moved &- first
        let excess = Int64(moved &- wanted) * 1_000_000_000 / Int64(clockRate)
        return MediaDuration(nanoseconds: excess)
    }

    /// Whether a picture that arrives now can have the timestamp that sender reports give it.
    func isPlausible(_ aligned: UInt32, at now: MediaInstant) -> Bool {
        guard let newestAt else { return true }
        let deviation = Int32(bitPattern: aligned &- expected(at: now, since: newestAt))
        return deviation.magnitude <= Self.mostDeviation.units(of: clockRate)
    }

    /// How far beyond its proper place `switchSource` would put a source that begins like this; zero when nothing was sent.
    func excess(first: UInt32, aligned: UInt32?, at now: MediaInstant) -> MediaDuration {
        var copy = self
        return copy.switchSource(first: first, aligned: aligned, at: now)
    }

    /// Puts a source that is too far behind its place right behind the newest packet, whatever its place is.
    mutating func squeeze(first: UInt32) { offset = newest &+ 1 &- first }

    /// What is added to the source's timestamps.
    var currentOffset: UInt32 { offset }

    /// `timestamp` of the reference source, as this rewriter would send it: for computing `aligned`.
    func preview(_ timestamp: UInt32) -> UInt32 { timestamp &+ offset }

    mutating func rewrite(_ timestamp: UInt32, at now: MediaInstant) -> UInt32 {
        let output = timestamp &+ offset
        if newestAt == nil || Int32(bitPattern: output &- newest) > 0 {
            newest = output
            newestAt = now
        }
        return output
    }

    /// What the newest packet's source would send now.
    private func expected(at now: MediaInstant, since newestAt: MediaInstant) -> UInt32 {
        newest &+ max(now - newestAt, .zero).units(of: clockRate)
    }
}

// MARK: Snapshot

extension TimestampRewriter: Restorable {
    init(restoring reader: inout SnapshotReader) throws(WireError) {
        clockRate = try reader.read(in: 1...UInt32.max)
        offset = try reader.read()
        newest = try reader.read()
        newestAt = try reader.readOptional()
    }

    func write(to writer: inout SnapshotWriter) {
        writer.write(clockRate)
        writer.write(offset)
        writer.write(newest)
        writer.writeOptional(newestAt)
    }
}
