/// `sendDataMessage`: a text for everybody who consumes data, from a client without a data channel.
public struct SendDataMessageRequest: Sendable, Hashable {
    /// As a data producer's.
    public var label: String
    /// What it says.
    public var message: String

    /// Bytes that a message may have.
    static let messageBytes = 16_384

    /// A request.
    public init(label: String, message: String) {
        self.label = label
        self.message = message
    }
}

extension SendDataMessageRequest: JSONReadable {
    /// Reads both fields.
    public init(_ reader: JSONReader) throws(JSONFieldError) {
        self.init(
            label: try reader.required("label").string(limit: ProduceDataRequest.textBytes),
            message: try reader.required("message").string(limit: Self.messageBytes))
    }
}
