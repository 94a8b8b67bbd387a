/// RE-CONFIG (RFC 6525): the request of ours that waits for its answer, those that wait for their turn, and what the peer
/// asked last.
struct SCTPStreamResets {
    enum Request: Hashable {
        case reset([UInt16], lastAssigned: TSN)
        case addStreams(UInt16)
    }

    /// The peer's request that waits until all that was sent before it has arrived (RFC 6525 §5.2.2).
    struct Deferred: Hashable {
        var streams: [UInt16]
        var lastAssigned: TSN

        func concerns(_ stream: UInt16, _ tsn: TSN) -> Bool {
            tsn.isNewer(than: lastAssigned) && (streams.isEmpty || streams.contains(stream))
        }
    }

    /// Streams to be reset, each once, in the order in which that was wished.
    var wanted: [UInt16] = []
    /// Streams to be added.
    var wantedCount: UInt16 = 0
    var request: Request?
    /// The number of `request`, or of the next one.
    var nextNumber: TSN
    /// Whether `request` is to be sent, again or for the first time.
    var isDue = false
    var deadline: MediaInstant?
    /// The peer's last request, and how it was answered.
    var lastPeerNumber: TSN
    var lastResult = SCTPReconfiguration.Result.nothingToDo
    var deferred: Deferred?

    /// Requests of either side are numbered from its initial TSN (RFC 6525 §5.1.1).
    init(first: TSN, peerFirst: TSN) {
        nextNumber = first
        lastPeerNumber = peerFirst.previous
    }
}

extension SCTPStreamResets: Restorable {
    init(restoring reader: inout SnapshotReader) throws(WireError) {
        wanted = try Self.streams(&reader)
        wantedCount = try reader.readUInt16()
        switch try reader.readUInt8() {
        case 0: break
        case 1: request = .reset(try Self.streams(&reader), lastAssigned: try reader.read())
        case 2: request = .addStreams(try reader.readUInt16())
        default: throw .malformed
        }
        nextNumber = try reader.read()
        isDue = try reader.read()
        deadline = try reader.readOptional()
        lastPeerNumber = try reader.read()
        guard let result = SCTPReconfiguration.Result(rawValue: try reader.readUInt32()) else { throw .malformed }
        lastResult = result
        if try reader.read() {
            deferred = Deferred(streams: try Self.streams(&reader), lastAssigned: try reader.read())
        }
        guard request != nil || !isDue && deadline == nil, request == nil || isDue || deadline != nil else {
            throw .malformed
        }
    }

    private static func streams(_ reader: inout SnapshotReader) throws(WireError) -> [UInt16] {
        var streams: [UInt16] = []
        for _ in 0..<(try reader.readUInt16()) { streams.append(try reader.readUInt16()) }
        return streams
    }

    func write(to writer: inout SnapshotWriter) {
        Self.write(wanted, to: &writer)
        writer.writeUInt16(wantedCount)
        switch request {
        case nil: writer.writeUInt8(0)
        case .reset(let streams, let lastAssigned):
            writer.writeUInt8(1)
            Self.write(streams, to: &writer)
            writer.write(lastAssigned)
        case .addStreams(let count):
            writer.writeUInt8(2)
            writer.writeUInt16(count)
        }
        writer.write(nextNumber)
        writer.write(isDue)
        writer.writeOptional(deadline)
        writer.write(lastPeerNumber)
        writer.writeUInt32(lastResult.rawValue)
        writer.write(deferred != nil)
        if let deferred {
            Self.write(deferred.streams, to: &writer)
            writer.write(deferred.lastAssigned)
        }
    }

    private static func write(_ streams: [UInt16], to writer: inout SnapshotWriter) {
        writer.writeUInt16(UInt16(clamping: streams.count))
        for stream in streams { writer.writeUInt16(stream) }
    }
}
