/// How a producer's encodings are made (mediasoup's `type`).
public enum ProducerType: String, Sendable, Hashable {
    case simple, simulcast, svc
}
