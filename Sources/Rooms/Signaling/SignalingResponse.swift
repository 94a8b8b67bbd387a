public import Media

/// What a room answers; `json` is the response's data in mediasoup-demo's 2024 protocol.
public enum SignalingResponse: Sendable {
    case routerRtpCapabilities(RTPCapabilities)
    case joined(peers: [PeerDescription])
    case webRtcTransport(WebRtcTransportDescription)
    case plainTransport(PlainTransportDescription)
    case iceParameters(ICEParameters)
    case producer(ProducerID)
    case consumer(NewConsumerRequest)
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
        case .joined(let peers): .object(["peers": .array(peers.map(\.json))])
        case .webRtcTransport(let transport): transport.json
        case .plainTransport(let transport): transport.json
        case .iceParameters(let parameters): parameters.json
        case .producer(let id): .object(["id": .string(id.rawValue)])
        case .consumer(let consumer): consumer.json
        case .producers(let producers): .object(["producers": .array(producers.map(\.json))])
        case .peers(let peers): .object(["peers": .array(peers.map(\.json))])
        case .statistics(let entries): .array(entries)
        case .done: .object([:])
        }
    }
}

/// A peer as others see it.
public struct PeerDescription: Sendable, Hashable, JSONRepresentable {
    /// Which peer.
    public var id: PeerID
    /// For people.
    public var displayName: String
    /// Its program.
    public var device: DeviceDescription

    /// The shape of `newPeer` and of `join`'s list.
    public var json: JSONValue {
        .object([
            "id": .string(id.rawValue), "displayName": .string(displayName), "device": device.json,
        ])
    }
}

/// A producer as others see it.
public struct ProducerDescription: Sendable, Hashable, JSONRepresentable {
    /// Which producer.
    public var id: ProducerID
    /// Whose it is.
    public var peerID: PeerID
    /// Audio or video.
    public var kind: MediaKind

    /// Id, peer and kind.
    public var json: JSONValue {
        .object([
            "id": .string(id.rawValue), "peerId": .string(peerID.rawValue), "kind": .string(kind.rawValue),
        ])
    }
}

/// A transport's own ICE credentials as a client needs them.
public struct ICEParameters: Sendable, Hashable, JSONRepresentable {
    /// RFC 8445 §5.3.
    public var usernameFragment: String
    /// RFC 8445 §5.3.
    public var password: String

    init(_ credentials: ICECredentials) {
        usernameFragment = credentials.usernameFragment
        password = credentials.password
    }

    /// With `iceLite`, always true.
    public var json: JSONValue {
        .object([
            "usernameFragment": .string(usernameFragment), "password": .string(password), "iceLite": .bool(true),
        ])
    }
}

/// An address at which a transport can be reached (RFC 8445 §5.3).
public struct ICECandidate: Sendable, Hashable, JSONRepresentable {
    /// `udpcandidate` or `tcpcandidate`.
    public var foundation: String
    /// RFC 8445 §5.1.2.
    public var priority: UInt32
    /// An address or host name.
    public var address: String
    /// UDP or TCP port.
    public var port: UInt16
    /// The protocol under ICE.
    public var transport: CandidateTransport

    /// Older clients read `ip` only, newer ones `address`.
    public var json: JSONValue {
        .fields([
            "foundation": .string(foundation), "priority": .integer(Int64(priority)), "ip": .string(address),
            "address": .string(address), "port": .integer(Int64(port)), "protocol": .string(transport.rawValue),
            "type": .string("host"), "tcpType": transport == .tcp ? .string("passive") : nil,
        ])
    }

    /// The candidates of a shard; earlier addresses are preferred, as mediasoup numbers them.
    static func candidates(of endpoint: ShardEndpoint, forceTcp: Bool) -> [ICECandidate] {
        endpoint.addresses.enumerated().filter { !forceTcp || $0.element.transport == .tcp }.map { index, address in
            let localPreference = UInt32(max(10000 - 100 * index, 0))
            return ICECandidate(
                foundation: "\(address.transport.rawValue)candidate",
                priority: 64 << 24 + localPreference << 8 + 255, address: address.address, port: address.port,
                transport: address.transport)
        }
    }
}

/// `createWebRtcTransport`'s answer.
public struct WebRtcTransportDescription: Sendable, Hashable, JSONRepresentable {
    /// Which transport.
    public var id: TransportID
    /// Its credentials.
    public var iceParameters: ICEParameters
    /// Where it is reached.
    public var iceCandidates: [ICECandidate]
    /// The fingerprints of the server's certificate; its role is `auto`.
    public var fingerprints: [DTLSFingerprint]

    /// Without `sctpParameters`: data channels are not offered.
    public var json: JSONValue {
        .object([
            "id": .string(id.rawValue), "iceParameters": iceParameters.json,
            "iceCandidates": .array(iceCandidates.map(\.json)),
            "dtlsParameters": .object([
                "role": .string(DTLSRole.auto.rawValue),
                "fingerprints": .array(
                    fingerprints.map {
                        .object(["algorithm": .string($0.algorithm.rawValue), "value": .string($0.text)])
                    }),
            ]),
        ])
    }
}

extension ICEParameters: Redacted {}
