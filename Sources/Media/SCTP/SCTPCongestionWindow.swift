/// How much may be under way at a time (RFC 9260 §7.2): slow start, congestion avoidance, fast recovery. Bytes are
/// those of chunks with headers and padding.
struct SCTPCongestionWindow {
    /// More than any path and any buffer of ours holds.
    private static let largest: UInt32 = 1 << 30
    /// The browsers' first window, in packets.
    private static let initialPackets: UInt32 = 10

    /// The longest chunk.
    private let chunk: UInt32
    private(set) var window: UInt32
    /// Above it, the window grows by one chunk in a round trip.
    private(set) var threshold: UInt32
    private var partlyAcked: UInt32 = 0
    /// Fast recovery lasts until this is acknowledged.
    private(set) var recoveryEnd: TSN?

    /// - Parameter peerWindow: the peer's, at the beginning.
    init(chunk: Int, peerWindow: UInt32) {
        self.chunk = UInt32(clamping: chunk)
        window = self.chunk * Self.initialPackets
        threshold = min(max(peerWindow, 4 * self.chunk), Self.largest)
    }

    private var least: UInt32 { 4 * chunk }

    /// Data was acknowledged for the first time.
    /// - Parameters:
    ///   - flight: what was under way before.
    ///   - advances: whether everything up to a new number has arrived.
    mutating func acknowledged(_ bytes: Int, flight: Int, cumulative: TSN, advances: Bool) {
        if let end = recoveryEnd, cumulative.distance(from: end) >= 0 { recoveryEnd = nil }
        guard advances, recoveryEnd == nil, bytes > 0 else { return }
        let bytes = UInt32(clamping: bytes)
        let isUsed = flight + Int(chunk) >= Int(window)
        if window <= threshold {
            // RFC 9260 §7.2.1.
            if isUsed { window = min(window + min(bytes, chunk), Self.largest) }
            return
        }
        // RFC 9260 §7.2.2.
        partlyAcked = min(partlyAcked + min(bytes, Self.largest), Self.largest)
        guard partlyAcked >= window else { return }
        if isUsed {
            partlyAcked -= window
            window = min(window + chunk, Self.largest)
        } else {
            partlyAcked = window
        }
    }

    /// Everything that was sent has arrived.
    mutating func drained() { partlyAcked = 0 }

    /// Packets were lost, and the peer's acknowledgements show it (RFC 9260 §7.2.4).
    /// - Parameter highest: the last number under way.
    /// - Returns: whether recovery begins.
    mutating func lossFound(highest: TSN) -> Bool {
        guard recoveryEnd == nil else { return false }
        threshold = max(window / 2, least)
        window = threshold
        partlyAcked = 0
        recoveryEnd = highest
        return true
    }

    /// Nothing was acknowledged in time (RFC 9260 §7.2.3).
    mutating func timedOut() {
        threshold = max(window / 2, least)
        window = chunk
        partlyAcked = 0
        recoveryEnd = nil
    }

    /// Nothing was sent for so many times the retransmission timeout: what the path carries is less sure (RFC 9260
    /// §7.2.1).
    mutating func idled(_ count: Int64) {
        for _ in 0..<min(max(count, 0), 20) where window > least { window = max(window / 2, least) }
    }
}

extension SCTPCongestionWindow: Restorable {
    init(restoring reader: inout SnapshotReader) throws(WireError) {
        chunk = try reader.read(in: 64...16_384)
        window = try reader.read(in: chunk...Self.largest)
        threshold = try reader.read(in: chunk...Self.largest)
        partlyAcked = try reader.read(in: 0...Self.largest)
        recoveryEnd = try reader.readOptional()
    }

    func write(to writer: inout SnapshotWriter) {
        writer.write(chunk)
        writer.write(window)
        writer.write(threshold)
        writer.write(partlyAcked)
        writer.writeOptional(recoveryEnd)
    }
}
