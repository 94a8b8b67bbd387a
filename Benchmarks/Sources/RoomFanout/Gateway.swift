import Foundation

/// The server that this repository builds, as its own process, spoken to in protoo.
final class Gateway: ForwardingServer {
    let name = "Roundhouse"
    let process: ChildProcess
    private let bench: Bench
    let port: Int
    private var peers: [GatewayPeer] = []

    init(
        _ bench: Bench, shards: Int = 1, cores: String? = nil, environment: [String: String] = [:],
        options: [String] = []
    ) throws {
        self.bench = bench
        port = 20_000 + Int(getpid()) % 10_000
        process = try ChildProcess(
            bench.gateway,
            [
                "--host", "127.0.0.1", "--port", "\(port)", "--media-listen", "127.0.0.1", "--media-port", "0",
                "--shards", "\(shards)", "--log-level", "error", "--max-peers-per-room", "5000",
            ] + options, cores: cores ?? bench.serverCores, environment: environment)
        _ = try process.line(startingWith: "Roundhouse is ready")
    }

    func peer(_ name: String, room: String) async throws -> GatewayPeer {
        let path = "/?roomId=\(room)&peerId=\(name)"
        let client = try await SignalingClient.connect(.protoo, port: port, path: path, group: bench.group)
        let peer = GatewayPeer(name: name, client: client, fingerprint: bench.fingerprint)
        peers.append(peer)
        return peer
    }

    func load(_ load: Load, _ bench: Bench) async throws -> LoadGenerator {
        var plan = Plan()
        for index in 0..<load.rooms { try await fill(room: "bench\(index)", load, &plan) }
        return try LoadGenerator(plan.takeText(), watching: process, bench)
    }

    /// Enters the peers of one room, as mediasoup's clients do: each makes a transport to send by and then one to receive by,
    /// whether it will use them or not, joins, and connects what it uses. The plan gets a transport for each stream's sender
    /// and for each subscriber.
    func fill(room: String, _ load: Load, _ plan: inout Plan) async throws {
        var subscribers: [(peer: GatewayPeer, sending: GatewayPeer.Transport, number: Int)] = []
        for index in 0..<load.subscribers {
            let peer = try await peer("\(room)-s\(index)", room: room)
            let sending = try await peer.makeTransport(producing: true)
            let receiving = try await peer.makeTransport(producing: false)
            try await peer.join(consumes: true)
            try await peer.connect(receiving)
            subscribers.append(
                (peer, sending, try plan.addTransport(receiving.remote, profile: load.profile, tcp: load.tcp)))
        }
        if load.everybody {
            for (peer, sending, _) in subscribers { try await publish(peer, on: sending, load, &plan) }
        } else {
            for index in 0..<load.publishers { try await addPublisher("\(room)-p\(index)", room: room, load, &plan) }
        }
        for (peer, _, number) in subscribers {
            try await peer.client.awaitRequests(load.streamsPerSubscriber)
            let feedback = load.feedback ? try await peer.transportWideExtension() : nil
            plan.expect(load.streamsPerSubscriber, on: number, feedback: feedback)
        }
    }

    /// One more peer that only publishes.
    func addPublisher(_ name: String, room: String, _ load: Load, _ plan: inout Plan) async throws {
        let peer = try await peer(name, room: room)
        let sending = try await peer.makeTransport(producing: true)
        _ = try await peer.makeTransport(producing: false)
        try await peer.join(consumes: false)
        try await publish(peer, on: sending, load, &plan)
    }

    private func publish(
        _ peer: GatewayPeer, on transport: GatewayPeer.Transport, _ load: Load, _ plan: inout Plan
    ) async throws {
        try await peer.connect(transport)
        let number = try plan.addTransport(transport.remote, profile: load.profile)
        try await peer.produce(on: transport.id, ssrcs: [Plan.ssrc(number)], audio: load.audio)
        plan.send(on: number, load)
    }

    /// What all peers were sent by signaling so far.
    func messagesReceived() async throws -> Int {
        var count = 0
        for peer in peers { count += try await peer.client.messagesReceived() }
        return count
    }

    func close() async {
        for peer in peers { await peer.client.close() }
        peers = []
        process.stop()
    }
}

/// What a client of the gateway does, step by step.
struct GatewayPeer: Sendable {
    struct Transport: Sendable {
        var id: String
        var remote: Plan.Remote
    }

    let name: String
    let client: SignalingClient
    let fingerprint: String

    /// - Parameter hasData: whether it is offered data producers.
    func join(consumes: Bool, hasData: Bool = false) async throws {
        var join: JSON = ["displayName": name, "device": ["flag": "bench", "name": "RoomFanout", "version": "1"]]
        if consumes { join["rtpCapabilities"] = try await client.request("getRouterRtpCapabilities", [:]) }
        if hasData {
            join["sctpCapabilities"] = Self.channels
            join["bot"] = false
        }
        _ = try await client.request("join", join)
    }

    /// The id of the header extension that numbers a transport's packets.
    func transportWideExtension() async throws -> Int {
        let capabilities = try await client.request("getRouterRtpCapabilities", [:])
        let extensions = capabilities["headerExtensions"] as? [any Sendable] ?? []
        for case let one as JSON in extensions where (one["uri"] as? String)?.contains("transport-wide-cc") == true {
            if let id = one["preferredId"] as? Int { return id }
        }
        throw ChildProcess.Failure(description: "the router has no transport-wide numbers: \(capabilities)")
    }

    /// Makes a transport and connects it.
    func openTransport(producing: Bool) async throws -> Transport {
        let transport = try await makeTransport(producing: producing)
        try await connect(transport)
        return transport
    }

    private static let channels: JSON = ["numStreams": ["OS": 1024, "MIS": 1024]]

    func makeTransport(producing: Bool, hasData: Bool = false) async throws -> Transport {
        var request: JSON = ["forceTcp": false, "producing": producing, "consuming": !producing]
        if hasData { request["sctpCapabilities"] = Self.channels }
        let answer = try await client.request("createWebRtcTransport", request)
        guard let id = answer["id"] as? String, let ice = answer["iceParameters"] as? JSON,
            let user = ice["usernameFragment"] as? String, let password = ice["password"] as? String,
            let candidate = (answer["iceCandidates"] as? [any Sendable])?.first as? JSON,
            let address = candidate["ip"] as? String, let port = candidate["port"] as? Int
        else {
            throw ChildProcess.Failure(description: "the server's transport is not what a client expects: \(answer)")
        }
        return Transport(id: id, remote: Plan.Remote(address: address, port: port, user: user, password: password))
    }

    func connect(_ transport: Transport) async throws {
        let dtls: JSON = ["role": "client", "fingerprints": [["algorithm": "sha-256", "value": fingerprint]]]
        _ = try await client.request("connectWebRtcTransport", ["transportId": transport.id, "dtlsParameters": dtls])
    }

    func produceData(on transport: String, stream: Int) async throws {
        _ = try await client.request(
            "produceData",
            ["transportId": transport, "sctpStreamParameters": ["streamId": stream], "label": "bench"])
    }

    /// - Parameter ssrcs: one of each layer, lowest first.
    func produce(on transport: String, ssrcs: [Int], audio: Bool, mid: String = "0") async throws {
        let codec: JSON =
            audio
            ? ["mimeType": "audio/opus", "payloadType": 111, "clockRate": 48000, "channels": 2]
            : [
                "mimeType": "video/VP8", "payloadType": 96, "clockRate": 90000,
                // Where there are layers, key frames are asked for.
                "rtcpFeedback": ssrcs.count > 1
                    ? [["type": "nack"], ["type": "nack", "parameter": "pli"]] as [JSON] : [] as [JSON],
            ]
        let parameters: JSON = [
            "codecs": [codec], "encodings": ssrcs.map { ["ssrc": $0] as JSON }, "rtcp": ["cname": "bench\(ssrcs[0])"],
            "mid": mid,
        ]
        let request: JSON = [
            "transportId": transport, "kind": audio ? "audio" : "video", "rtpParameters": parameters, "appData": JSON(),
        ]
        _ = try await client.request("produce", request)
    }
}
