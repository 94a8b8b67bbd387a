/// What a transport's SCTP association is made with, if it is ever needed.
public struct DataTransportSettings: Sendable, Hashable {
    /// Streams that are asked for.
    public var outgoingStreams: UInt16
    /// Streams that the client may ask for.
    public var incomingStreams: UInt16
    /// Longer messages are neither taken nor sent, in bytes.
    public var largestMessage: UInt32
    /// What may wait to be sent, in bytes: beyond it messages are dropped.
    public var sendBuffer: UInt32

    /// mediasoup's numbers, those of its newer versions where they differ: a buffer of 262,144 bytes takes one large message.
    public init(
        outgoingStreams: UInt16 = 1024, incomingStreams: UInt16 = 1024, largestMessage: UInt32 = 262_144,
        sendBuffer: UInt32 = 2_000_000
    ) {
        self.outgoingStreams = outgoingStreams
        self.incomingStreams = incomingStreams
        self.largestMessage = largestMessage
        self.sendBuffer = sendBuffer
    }

    /// Bytes that an association holds of messages that are not whole: one of the largest, and those on their way.
    private static let window: UInt32 = 1 << 20

    var association: SCTPSettings {
        var settings = SCTPSettings()
        settings.outgoingStreams = outgoingStreams
        settings.incomingStreams = incomingStreams
        settings.largestReceivedMessage = largestMessage
        settings.largestSentMessage = largestMessage
        settings.sendBuffer = max(sendBuffer, largestMessage)
        settings.streamSendBuffer = settings.sendBuffer
        settings.receiveWindow = max(Self.window, min(largestMessage, 1 << 29) * 2)
        return settings
    }
}

extension DataTransportSettings: Restorable {
    init(restoring reader: inout SnapshotReader) throws(WireError) {
        self.init(
            outgoingStreams: try reader.readUInt16(), incomingStreams: try reader.readUInt16(),
            largestMessage: try reader.read(in: 0...1 << 29), sendBuffer: try reader.read(in: 0...1 << 29))
    }

    func write(to writer: inout SnapshotWriter) {
        writer.writeUInt16(outgoingStreams)
        writer.writeUInt16(incomingStreams)
        writer.writeUInt32(largestMessage)
        writer.writeUInt32(sendBuffer)
    }
}
