/// `consumeData`: a data consumer that flows from the start.
public struct ConsumeDataRequest: Sendable, Hashable {
    /// The transport the client receives on.
    public var transportID: TransportID
    /// What it wants.
    public var dataProducerID: DataProducerID
    /// How messages are sent, where it is to differ from how they come.
    public var ordered: Bool?
    /// As with `SCTPStreamParameters`.
    public var maxPacketLifeTime: UInt16?
    /// As with `SCTPStreamParameters`.
    public var maxRetransmits: UInt16?
    /// What it is interested in; empty for everything.
    public var subchannels: [UInt16]
    /// Whether it gets nothing at first.
    public var isPaused: Bool

    /// Subchannels that a consumer may have.
    static let mostSubchannels = 256

    /// A request.
    public init(
        transportID: TransportID, dataProducerID: DataProducerID, ordered: Bool? = nil,
        maxPacketLifeTime: UInt16? = nil, maxRetransmits: UInt16? = nil, subchannels: [UInt16] = [],
        isPaused: Bool = false
    ) {
        self.transportID = transportID
        self.dataProducerID = dataProducerID
        self.ordered = ordered
        self.maxPacketLifeTime = maxPacketLifeTime
        self.maxRetransmits = maxRetransmits
        self.subchannels = subchannels
        self.isPaused = isPaused
    }
}

extension ConsumeDataRequest: JSONReadable {
    /// Reads mediasoup's names.
    public init(_ reader: JSONReader) throws(JSONFieldError) {
        let (ordered, lifeTime, retransmits) = try SCTPStreamParameters.reliability(reader)
        self.init(
            transportID: TransportID(try reader.required("transportId").string(limit: 128)),
            dataProducerID: DataProducerID(
                try reader.required("dataProducerId", "missing dataProducerId").string(limit: 128)),
            ordered: ordered, maxPacketLifeTime: lifeTime, maxRetransmits: retransmits,
            subchannels: try reader.optional("subchannels").map { (field) throws(JSONFieldError) in
                try field.subchannels()
            } ?? [],
            isPaused: try reader.optional("paused")?.bool() ?? false)
    }
}

extension JSONReader {
    /// A list of subchannels, each once and in order.
    func subchannels() throws(JSONFieldError) -> [UInt16] {
        var found: Set<UInt16> = []
        for entry in try array(limit: ConsumeDataRequest.mostSubchannels) {
            let number: Int = try entry.integer()
            guard let subchannel = UInt16(exactly: number) else { throw entry.failure("not 0 to 65535") }
            found.insert(subchannel)
        }
        return found.sorted()
    }
}
