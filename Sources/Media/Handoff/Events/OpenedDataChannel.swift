/// A channel that a client has opened in band (RFC 8832).
public struct OpenedDataChannel: Sendable, Hashable {
    /// Where.
    public var transport: TransportKey
    /// The client's stream.
    public var stream: UInt16
    /// As the client wrote it: at most 65,535 bytes.
    public var label: String
    /// Likewise.
    public var protocolName: String
    /// How its messages come.
    public var isOrdered: Bool
    /// How long the client tries a message, in milliseconds.
    public var maxPacketLifeTime: UInt16?
    /// How often it sends a message again.
    public var maxRetransmits: UInt16?

    /// A channel.
    public init(
        transport: TransportKey, stream: UInt16, label: String, protocolName: String = "", isOrdered: Bool = true
    ) {
        self.transport = transport
        self.stream = stream
        self.label = label
        self.protocolName = protocolName
        self.isOrdered = isOrdered
    }

    init(_ open: DataChannelOpen, on stream: UInt16, of transport: TransportKey) {
        self.init(
            transport: transport, stream: stream, label: open.label, protocolName: open.subprotocol,
            isOrdered: open.isOrdered)
        switch open.reliability {
        case .reliable: break
        case .retransmissions(let count): maxRetransmits = count
        case .lifetime(let duration): maxPacketLifeTime = UInt16(clamping: duration.milliseconds)
        }
    }
}
