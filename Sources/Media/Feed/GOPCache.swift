// Safe: `buffers` owns `count` initialized buffers from `init` to `deinit`; a packet's encoding is below `count`, and any
// other is checked; what `find` returns is read before a buffer changes.

/// A producer's newest packets on one shard, by encoding: for retransmissions, and for consumers that begin.
///
/// Everything is kept while some consumer can ask for packets again; else the newest group of pictures (GOP) while it is
/// young, so that a consumer that joins soon can begin with it.
@safe struct GOPCache: ~Copyable {
    /// A key frame and everything since: what a receiver needs that has had nothing.
    private struct GOP {
        /// Its first packet's number.
        var first: UInt64
        /// Its first picture's.
        var timestamp: UInt32
    }

    /// Packets of an encoding that are kept while no consumer can ask for them again: 2.5 s of 3 Mb/s, and 1.6 MB at most.
    static let maximumUnwatchedPackets = 1000

    let count: Int
    private let kind: MediaKind
    private let buffers: UnsafeMutablePointer<RetransmissionBuffer>
    /// By encoding: the newest key frame of which everything since is kept.
    private var gops: [GOP?]

    init(kind: MediaKind, encodings: Int) {
        self.kind = kind
        count = encodings
        unsafe buffers = .allocate(capacity: count)
        let window = kind == .video ? RetransmissionBuffer.videoWindow : RetransmissionBuffer.audioWindow
        for index in 0..<count { unsafe (buffers + index).initialize(to: RetransmissionBuffer(window: window)) }
        gops = Array(repeating: nil, count: count)
    }

    deinit {
        unsafe buffers.deinitialize(count: count)
        unsafe buffers.deallocate()
    }

    /// Whether a packet is kept.
    /// - Parameter isWatched: some consumer can ask for it again.
    mutating func shouldStore(_ packet: PreparedPacket, isWatched: Bool, at now: MediaInstant) -> Bool {
        if isWatched { return true }
        guard kind == .video else { return false }
        let encoding = Int(packet.encoding)
        let isYoung = packet.isKeyFrame || firstOfGOP(of: encoding, at: now) != nil
        if isYoung, unsafe buffers[encoding].storedCount < Self.maximumUnwatchedPackets { return true }
        if unsafe buffers[encoding].newest != nil {
            forgetGOP(of: encoding)
            unsafe buffers[encoding].removeAllAndRelease()
        }
        return false
    }

    /// Keeps a packet.
    /// - Parameters:
    ///   - bytes: from `StoredPacket.write`; `nil` for a packet too large to be kept.
    ///   - time: when it was received.
    mutating func store(_ packet: PreparedPacket, _ bytes: UnsafeRawBufferPointer?, at time: MediaInstant) {
        let encoding = Int(packet.encoding)
        guard let bytes = unsafe bytes else { return forgetGOP(of: encoding) }
        unsafe buffers[encoding].store(extended: packet.sequence, bytes: bytes, timestamp: packet.timestamp, at: time)
        guard packet.isKeyFrame else { return }
        if let gop = gops[encoding] {
            // Parameter sets may fill packets of their own; and an older key frame may come late.
            let isSame = gop.timestamp == packet.timestamp
            guard isSame ? packet.sequence < gop.first : packet.sequence > gop.first else { return }
        }
        gops[encoding] = GOP(first: packet.sequence, timestamp: packet.timestamp)
    }

    /// A packet that is still kept; valid until the cache changes.
    func find(
        _ number: UInt64, of encoding: Int, at now: MediaInstant
    ) -> (
        packet: PreparedPacket, template: UnsafeRawBufferPointer, payload: UnsafeRawBufferPointer, age: MediaDuration
    )? {
        guard isKept(encoding), let stored = unsafe buffers[encoding].find(extended: number, at: now),
            let (packet, template, payload) = unsafe StoredPacket.read(stored.bytes)
        else { return nil }
        return unsafe (packet, template, payload, now - stored.storedAt)
    }

    /// The newest packet's number.
    func newest(of encoding: Int) -> UInt64? { unsafe isKept(encoding) ? buffers[encoding].newest : nil }

    /// Whether there is a buffer for an encoding: a restored consumer may name one that its feed has not.
    private func isKept(_ encoding: Int) -> Bool { encoding >= 0 && encoding < count }

    /// Bytes of memory held for an encoding.
    func allocatedBytes(of encoding: Int) -> Int { unsafe buffers[encoding].allocatedBytes }

    /// Whether any memory is held for packets.
    var holdsMemory: Bool {
        for encoding in 0..<count where unsafe buffers[encoding].allocatedBytes > 0 { return true }
        return false
    }

    /// Gives back the memory of packets that are too old.
    mutating func removeExpired(at now: MediaInstant) {
        for encoding in 0..<count { unsafe buffers[encoding].removeExpired(at: now) }
    }

    /// The first packet of an encoding's newest GOP, if all of it is kept.
    func firstOfGOP(of encoding: Int, at now: MediaInstant) -> UInt64? {
        guard isKept(encoding), let first = gops[encoding]?.first,
            unsafe buffers[encoding].find(extended: first, at: now) != nil
        else { return nil }
        return first
    }

    /// Something that belongs to the GOP was not kept, or the stream restarted.
    mutating func forgetGOP(of encoding: Int) {
        guard isKept(encoding) else { return }
        gops[encoding] = nil
    }

    /// What comes from now on needs something that never came.
    mutating func forgetGOPs() {
        for encoding in 0..<count { gops[encoding] = nil }
    }
}

// MARK: Snapshot

extension GOPCache: Restorable {
    init(restoring reader: inout SnapshotReader) throws(WireError) {
        let kind: MediaKind = try reader.read()
        let count = Int(try reader.read(in: 1...UInt8(SourceEncodings.capacity)))
        var gops: [GOP?] = []
        var packets: [[SavedPacket]] = []
        for _ in 0..<count {
            let isKept: Bool = try reader.read()
            gops.append(isKept ? GOP(first: try reader.readCounter(), timestamp: try reader.readUInt32()) : nil)
            var saved: [SavedPacket] = []
            for _ in 0..<(try reader.readCount(atMost: RetransmissionBuffer.maxPackets)) {
                saved.append(try SavedPacket(from: &reader))
            }
            packets.append(saved)
        }
        self.init(kind: kind, encodings: count)
        self.gops = gops
        for (encoding, saved) in packets.enumerated() {
            for packet in saved {
                unsafe packet.bytes.withUnsafeBytes {
                    _ = unsafe buffers[encoding].store(
                        extended: packet.number, bytes: $0, timestamp: packet.timestamp, at: packet.storedAt)
                }
            }
        }
    }

    private struct SavedPacket {
        let number: UInt64
        let timestamp: UInt32
        let storedAt: MediaInstant
        let bytes: [UInt8]

        init(from reader: inout SnapshotReader) throws(WireError) {
            number = try reader.readCounter()
            timestamp = try reader.readUInt32()
            storedAt = try reader.read()
            bytes = try reader.readCounted()
            guard bytes.count <= RetransmissionBuffer.maxPacketLength else { throw .tooLarge }
        }
    }

    func write(to writer: inout SnapshotWriter) {
        writer.write(kind)
        writer.writeUInt8(UInt8(truncatingIfNeeded: count))
        for encoding in 0..<count {
            writer.write(gops[encoding] != nil)
            if let gop = gops[encoding] {
                writer.writeUInt64(gop.first)
                writer.writeUInt32(gop.timestamp)
            }
            var stored = SnapshotWriter()
            var packets = 0
            unsafe buffers[encoding].forEach { packet in
                packets += 1
                stored.writeUInt64(packet.extended)
                stored.writeUInt32(packet.timestamp)
                stored.write(packet.storedAt)
                unsafe stored.writeCounted(Array(packet.bytes))
            }
            writer.writeCount(packets)
            writer.writeBytes(stored.bytes)
        }
    }
}
