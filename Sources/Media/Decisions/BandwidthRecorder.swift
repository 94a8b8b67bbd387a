/// Writes down everything that goes into one transport's bandwidth machines, and what they decide, so that it can be decided
/// again elsewhere: sizes, times and feedback, and nothing of media or of who sends it.
///
/// A recording is `RHBW`, a version, when it begins, the machines as they are then, and inputs one after another: a kind
/// (`BandwidthInput`), nanoseconds since the one before, and what it says. All integers are little-endian.
struct BandwidthRecorder {
    static let magic: [UInt8] = Array("RHBW".utf8)
    static let version: UInt8 = 2
    /// In bytes: half an hour of a call with a few videos.
    static let largest = 8 << 20

    private var writer = SnapshotWriter()
    private var lastAt: MediaInstant
    /// What was written of each consumer's choices last.
    private var ladders: [LayerLadder] = []

    /// - Parameter snapshot: the machines as they are now.
    init(_ snapshot: [UInt8], at now: MediaInstant) {
        lastAt = now
        writer.writeBytes(Self.magic)
        writer.writeUInt8(Self.version)
        writer.write(now)
        writer.writeUInt32(UInt32(truncatingIfNeeded: snapshot.count))
        writer.writeBytes(snapshot)
    }

    /// What has been written, without an end.
    var bytes: [UInt8] { writer.bytes }

    /// Whether nothing more is taken.
    var isFull: Bool { writer.bytes.count >= Self.largest }

    mutating func note(_ input: BandwidthInput, at now: MediaInstant, _ body: (inout SnapshotWriter) -> Void = { _ in })
    {
        guard !isFull else { return }
        writer.writeUInt8(input.rawValue)
        writer.writeUInt64(now.nanoseconds &- lastAt.nanoseconds)
        lastAt = now
        body(&writer)
    }

    /// Writes what could be chosen, and what was.
    mutating func shared(
        _ choices: [LayerLadder], _ shares: [LayerAllocator.Share], estimate: UInt64, at now: MediaInstant
    ) {
        guard !isFull else { return }
        let known = ladders
        note(.share, at: now) { writer in
            writer.writeCount(min(choices.count, 0xFFFF))
            for (index, ladder) in choices.prefix(0xFFFF).enumerated() {
                let isSame = index < known.count && known[index].isSame(as: ladder)
                writer.write(isSame)
                if !isSame { writer.write(ladder) }
            }
            writer.writeUInt64(estimate)
            for share in shares.prefix(0xFFFF) { writer.writeOptional(share.target) }
        }
        ladders = choices
    }

    /// The whole recording, to its end now.
    func ended(_ snapshot: [UInt8], at now: MediaInstant) -> [UInt8] {
        // One that is full ends where it was full: the machines have gone on since.
        guard !isFull else { return bytes }
        var whole = self
        whole.note(.end, at: now) { writer in
            writer.writeUInt32(UInt32(truncatingIfNeeded: snapshot.count))
            writer.writeBytes(snapshot)
        }
        return whole.bytes
    }
}
