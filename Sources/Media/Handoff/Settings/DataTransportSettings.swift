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
    /// Longer messages are not sent either, in bytes, where the client has said what it takes; `nil`: as long as it may send.
    public var largestSentMessage: UInt32?
    /// What is taken of one data producer; a second's worth may come at once.
    public var messagesPerSecond: UInt32 = 10_000
    /// Our part in DTLS, where channels are opened in band (RFC 8832): it says whose numbers are even. `nil` where signaling
    /// opens them, on both sides.
    public var inBandRole: DTLSRole?

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
        settings.largestSentMessage = min(largestSentMessage ?? largestMessage, largestMessage)
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
        largestSentMessage = try reader.readOptional(in: 0...1 << 29)
        messagesPerSecond = try reader.read(in: 1...1_000_000)
        let isClient: Bool? = try reader.readOptional()
        inBandRole = isClient.map { $0 ? .client : .server }
    }

    func write(to writer: inout SnapshotWriter) {
        writer.writeUInt16(outgoingStreams)
        writer.writeUInt16(incomingStreams)
        writer.writeUInt32(largestMessage)
        writer.writeUInt32(sendBuffer)
        writer.writeOptional(largestSentMessage)
        writer.writeUInt32(messagesPerSecond)
        writer.writeOptional(inBandRole.map { $0 == .client })
    }
}
