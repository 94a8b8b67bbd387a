/// What a room asks of a client; the client has to accept.
public enum ServerRequest: Sendable {
    case newConsumer(NewConsumerRequest)

    /// The method of mediasoup-demo's 2024 protocol.
    public var method: String {
        switch self {
        case .newConsumer: "newConsumer"
        }
    }
}

extension ServerRequest: JSONRepresentable {
    /// The request's data.
    public var json: JSONValue {
        switch self {
        case .newConsumer(let request): request.json
        }
    }
}
