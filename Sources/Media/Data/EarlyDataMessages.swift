/// Messages on channels that a client has opened, and whose data producers are yet to come: clients send at once.
struct EarlyDataMessages {
    /// One of the largest and a little more, so that what is dropped is not what opens a conversation.
    static let largestBytes = 278_528
    static let largestCount = 256

    private var messages: [(stream: UInt16, message: DataMessage)] = []
    private(set) var bytes = 0

    /// - Returns: whether there was room for it.
    mutating func append(_ message: DataMessage, on stream: UInt16) -> Bool {
        guard messages.count < Self.largestCount, bytes + message.payload.count <= Self.largestBytes else {
            return false
        }
        messages.append((stream, message))
        bytes += message.payload.count
        return true
    }

    /// Takes out what is there of a stream, oldest first.
    mutating func take(_ stream: UInt16) -> [DataMessage] {
        guard !messages.isEmpty else { return [] }
        let taken = messages.filter { $0.stream == stream }.map(\.message)
        messages.removeAll { $0.stream == stream }
        bytes -= taken.reduce(0) { $0 + $1.payload.count }
        return taken
    }
}

extension EarlyDataMessages: Restorable {
    init(restoring reader: inout SnapshotReader) throws(WireError) {
        for _ in 0..<(try reader.readCount(atMost: Self.largestCount)) {
            let stream = try reader.readUInt16()
            let payloadProtocol = try reader.readUInt32()
            let count: UInt32 = try reader.read(in: 1...UInt32(Self.largestBytes))
            let payload = try reader.readBytes(Int(count))
            guard append(DataMessage(payloadProtocol: payloadProtocol, payload: payload), on: stream) else {
                throw .malformed
            }
        }
    }

    func write(to writer: inout SnapshotWriter) {
        writer.writeCount(messages.count)
        for (stream, message) in messages {
            writer.writeUInt16(stream)
            writer.writeUInt32(message.payloadProtocol)
            writer.writeUInt32(UInt32(truncatingIfNeeded: message.payload.count))
            writer.writeBytes(message.payload)
        }
    }
}
