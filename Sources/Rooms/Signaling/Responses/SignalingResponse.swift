/// What a room answers; `json` is the response's data in mediasoup-demo's 2024 protocol.
public enum SignalingResponse: Sendable {
    case routerRtpCapabilities(RTPCapabilities)
    case joined(JoinAnswer)
    case webRtcTransport(WebRtcTransportDescription)
    case plainTransport(PlainTransportDescription)
    case iceParameters(ICEParameters)
    case producer(ProducerID)
    case consumer(NewConsumerRequest)
    case dataProducer(DataProducerID)
    case dataConsumer(NewDataConsumerRequest)
    case producers([ProducerDescription])
    case peers([PeerDescription])
    /// A statistics array of mediasoup's entries.
    case statistics([JSONValue])
    /// Done; nothing to report.
    case done
}

extension SignalingResponse: JSONRepresentable {
    /// The fields mediasoup's clients read.
    public var json: JSONValue {
        switch self {
        case .routerRtpCapabilities(let capabilities): capabilities.json
        case .joined(let answer): answer.json
        case .webRtcTransport(let transport): transport.json
        case .plainTransport(let transport): transport.json
        case .iceParameters(let parameters): parameters.json
        case .producer(let id): .object(["id": .string(id.rawValue)])
        case .consumer(let consumer): consumer.json
        case .dataProducer(let id): .object(["id": .string(id.rawValue)])
        case .dataConsumer(let consumer): consumer.json
        case .producers(let producers): .object(["producers": .array(producers.map(\.json))])
        case .peers(let peers): .object(["peers": .array(peers.map(\.json))])
        case .statistics(let entries): .array(entries)
        case .done: .object([:])
        }
    }
}
