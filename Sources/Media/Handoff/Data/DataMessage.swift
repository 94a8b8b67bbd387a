/// A whole message of a data producer. Its bytes are an array that all who hold the message share.
public struct DataMessage: Sendable, Hashable {
    /// The payload protocol identifier (RFC 8831 §8): 51 for text, 53 for binary, 56 and 57 for what is empty.
    public var payloadProtocol: UInt32
    /// As SCTP carries it: never empty, since SCTP has no message without bytes.
    public var payload: [UInt8]
    /// Consumers that have subchannels get it if they have one of these; no subchannels mean everybody.
    public var subchannels: [UInt16]
    /// Consumers without this subchannel do not get it.
    public var requiredSubchannel: UInt16?

    /// A text; it may be empty.
    public init(text: String, subchannels: [UInt16] = [], requiredSubchannel: UInt16? = nil) {
        let bytes = Array(text.utf8)
        payloadProtocol = (bytes.isEmpty ? PayloadProtocol.stringEmpty : .string).rawValue
        payload = bytes.isEmpty ? [0x20] : bytes
        self.subchannels = subchannels
        self.requiredSubchannel = requiredSubchannel
    }

    /// Bytes; there may be none.
    public init(binary: [UInt8], subchannels: [UInt16] = [], requiredSubchannel: UInt16? = nil) {
        payloadProtocol = (binary.isEmpty ? PayloadProtocol.binaryEmpty : .binary).rawValue
        payload = binary.isEmpty ? [0] : binary
        self.subchannels = subchannels
        self.requiredSubchannel = requiredSubchannel
    }

    init(_ message: SCTPMessage) {
        self.init(payloadProtocol: message.payloadProtocol.rawValue, payload: message.payload)
    }

    /// As a client sent it.
    init(payloadProtocol: UInt32, payload: [UInt8]) {
        self.payloadProtocol = payloadProtocol
        self.payload = payload
        subchannels = []
    }

    /// What it says, if it is text.
    public var text: String? {
        switch PayloadProtocol(rawValue: payloadProtocol) {
        case .stringEmpty: ""
        case .string, .stringPartial: String(validating: payload, as: UTF8.self)
        default: nil
        }
    }

    /// Bytes of the application's.
    public var count: Int { PayloadProtocol(rawValue: payloadProtocol).isEmpty ? 0 : payload.count }
}
