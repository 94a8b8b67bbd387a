/// A message on a data channel as applications see it; it may be empty.
struct DataChannelMessage: Hashable, Sendable {
    var isText: Bool
    var payload: [UInt8]

    init(isText: Bool, payload: [UInt8]) {
        self.isText = isText
        self.payload = payload
    }

    /// `nil` for a protocol identifier that means nothing on data channels.
    init?(_ message: SCTPMessage) {
        switch message.payloadProtocol {
        case .string, .stringPartial, .stringEmpty: isText = true
        case .binary, .binaryPartial, .binaryEmpty: isText = false
        default: return nil
        }
        payload = message.payloadProtocol.isEmpty ? [] : message.payload
    }

    /// As SCTP carries it (RFC 8831 §6.6): nothing is one byte, and an identifier that says so.
    func message(on stream: UInt16, isUnordered: Bool) -> SCTPMessage {
        let payloadProtocol: PayloadProtocol =
            payload.isEmpty ? (isText ? .stringEmpty : .binaryEmpty) : (isText ? .string : .binary)
        return SCTPMessage(
            stream: stream, payloadProtocol: payloadProtocol, isUnordered: isUnordered,
            payload: payload.isEmpty ? [0] : payload)
    }
}
