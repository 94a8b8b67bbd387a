/// `setDataConsumerSubchannels`.
public struct SetDataConsumerSubchannelsRequest: Sendable, Hashable, JSONReadable {
    /// Which data consumer.
    public var dataConsumerID: DataConsumerID
    /// What it is interested in; empty for everything.
    public var subchannels: [UInt16]

    /// Reads both fields.
    public init(_ reader: JSONReader) throws(JSONFieldError) {
        dataConsumerID = DataConsumerID(try reader.required("dataConsumerId").string(limit: 128))
        subchannels = try reader.required("subchannels").subchannels()
    }
}
