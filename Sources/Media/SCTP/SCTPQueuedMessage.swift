/// One message of ours, from the moment it is given to the association until no chunk of it is needed any more.
struct SCTPQueuedMessage {
    /// Shared with whoever else sends it; let go when the message is given up.
    var payload: [UInt8]
    /// Its entry in whatever account its bytes are in. Not in snapshots: a restored message counts for nothing.
    var block: DataBlock?
    var payloadProtocol: PayloadProtocol
    var stream: UInt16
    var isUnordered: Bool
    var isAbandoned = false
    /// The stream sequence number or message identifier, given with the first fragment.
    var number: UInt32 = 0
    /// Bytes that are in fragments already.
    var sent: UInt32 = 0
    /// How many fragments.
    var fragments: UInt32 = 0
    /// How many times a chunk may be sent again; `nil` for any number.
    var retransmissions: UInt16?
    /// When it is of no use any more.
    var expiry: MediaInstant?
    /// Chunks under way that are made of it, and one while it waits.
    var references: UInt32 = 1
    /// The one behind it on its stream, or a free place behind a free one; -1 for none.
    var next: Int32 = -1

    init(_ message: SCTPMessage, reliability: SCTPReliability, block: DataBlock? = nil, at now: MediaInstant) {
        payload = message.payload
        self.block = block
        payloadProtocol = message.payloadProtocol
        stream = message.stream
        isUnordered = message.isUnordered
        switch reliability {
        case .reliable: break
        case .retransmissions(let count): retransmissions = count
        case .lifetime(let duration): expiry = now + duration
        }
    }

    var unsent: Int { payload.count - Int(sent) }

    func isExpired(at now: MediaInstant) -> Bool { expiry.map { $0 <= now } ?? false }

    /// It waits as if no part of it had ever been sent.
    mutating func rewind() {
        number = 0
        sent = 0
        fragments = 0
        references = 1
        next = -1
    }
}

extension SCTPQueuedMessage: Restorable {
    init(restoring reader: inout SnapshotReader) throws(WireError) {
        payload = try reader.readBytes(Int(try reader.readUInt32()))
        payloadProtocol = try reader.read()
        stream = try reader.readUInt16()
        isUnordered = try reader.read()
        isAbandoned = try reader.read()
        number = try reader.readUInt32()
        sent = try reader.read(in: 0...UInt32(clamping: payload.count))
        fragments = try reader.read(in: 0...1 << 30)
        retransmissions = try reader.readOptional()
        expiry = try reader.readOptional()
    }

    func write(to writer: inout SnapshotWriter) {
        writer.writeUInt32(UInt32(clamping: payload.count))
        writer.writeBytes(payload)
        writer.write(payloadProtocol)
        writer.writeUInt16(stream)
        writer.write(isUnordered)
        writer.write(isAbandoned)
        writer.writeUInt32(number)
        writer.writeUInt32(isAbandoned ? 0 : sent)
        writer.writeUInt32(fragments)
        writer.writeOptional(retransmissions)
        writer.writeOptional(expiry)
    }
}
