/// `newDataConsumer`: the room will send another peer's messages.
public struct NewDataConsumerRequest: Sendable, JSONRepresentable {
    /// Whose messages they are; `nil` for the room's own.
    public var peerID: PeerID?
    /// The transport they arrive on.
    public var transportID: TransportID
    /// What is consumed.
    public var dataProducerID: DataProducerID
    /// The data consumer.
    public var id: DataConsumerID
    /// The channel to make.
    public var streamParameters: SCTPStreamParameters
    /// The data producer's.
    public var label: String
    /// The data producer's.
    public var protocolName: String
    /// The data producer's application data.
    public var appData: JSONValue

    /// The fields of the 2024 protocol.
    public var json: JSONValue {
        .object([
            "peerId": peerID.map { .string($0.rawValue) } ?? .null,
            "dataProducerId": .string(dataProducerID.rawValue), "id": .string(id.rawValue),
            "sctpStreamParameters": streamParameters.json, "label": .string(label), "protocol": .string(protocolName),
            "appData": appData,
        ])
    }
}
