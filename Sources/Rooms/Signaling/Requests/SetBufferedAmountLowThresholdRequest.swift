/// `setDataConsumerBufferedAmountLowThreshold`.
public struct SetBufferedAmountLowThresholdRequest: Sendable, Hashable, JSONReadable {
    /// Which data consumer.
    public var dataConsumerID: DataConsumerID
    /// What may wait before its client is notified, in bytes.
    public var threshold: UInt32

    /// Reads both fields.
    public init(_ reader: JSONReader) throws(JSONFieldError) {
        dataConsumerID = DataConsumerID(try reader.required("dataConsumerId").string(limit: 128))
        let field = try reader.required("threshold")
        let value: Int = try field.integer()
        guard let number = UInt32(exactly: value) else { throw field.failure("not 0 to 4294967295") }
        threshold = number
    }
}
