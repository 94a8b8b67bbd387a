/// One data channel: a stream in each direction, with one number (RFC 8831 §6.4).
struct DataChannel: Hashable, Sendable {
    /// How it behaves, and its name.
    let open: DataChannelOpen
    /// Both sides know it from elsewhere, and say nothing of it here.
    let isNegotiated: Bool
    /// The peer has answered, or needs not.
    var isAcknowledged: Bool
    var isClosing = false
    /// What of a closing one is over: our stream, and the peer's.
    var isOutgoingReset = false
    var isIncomingReset = false
    /// Confirmed resets of our stream that are still to come and belong to channels that had the number before.
    var staleResets: UInt8 = 0

    /// Bytes that it holds for its names.
    var textCount: Int { open.label.utf8.count + open.subprotocol.utf8.count }
}

extension DataChannel: Restorable {
    init(restoring reader: inout SnapshotReader) throws(WireError) {
        let label = try reader.readText(atMost: 65_535)
        let subprotocol = try reader.readText(atMost: 65_535)
        open = DataChannelOpen(
            label: label, subprotocol: subprotocol, isOrdered: try reader.read(), reliability: try reader.read(),
            priority: try reader.readUInt16())
        isNegotiated = try reader.read()
        isAcknowledged = try reader.read()
        isClosing = try reader.read()
        isOutgoingReset = try reader.read()
        isIncomingReset = try reader.read()
        staleResets = try reader.readUInt8()
    }

    func write(to writer: inout SnapshotWriter) {
        writer.writeText(open.label)
        writer.writeText(open.subprotocol)
        writer.write(open.isOrdered)
        writer.write(open.reliability)
        writer.writeUInt16(open.priority)
        writer.write(isNegotiated)
        writer.write(isAcknowledged)
        writer.write(isClosing)
        writer.write(isOutgoingReset)
        writer.write(isIncomingReset)
        writer.writeUInt8(staleResets)
    }
}
