/// What a room asks of a client; the client has to accept.
public enum ServerRequest: Sendable {
    case newConsumer(NewConsumerRequest)
    case newDataConsumer(NewDataConsumerRequest)

    /// The method of mediasoup-demo's 2024 protocol.
    public var method: String {
        switch self {
        case .newConsumer: "newConsumer"
        case .newDataConsumer: "newDataConsumer"
        }
    }
}

extension ServerRequest: JSONRepresentable {
    /// The request's data.
    public var json: JSONValue {
        switch self {
        case .newConsumer(let request): request.json
        case .newDataConsumer(let request): request.json
        }
    }
}
