import Foundation
import NIOCore

/// A room filled with peers by signaling, and the plan that tells the load generator how to play their transports.
struct LoadedRoom {
    /// What the peers of a room do.
    struct Shape {
        var publishers: Int
        var subscribers: Int
        var isAudio: Bool
        var packetsPerSecond: Double
        /// Payload bytes of each packet.
        var payload: Int
        var profile: String
    }

    private(set) var plan: [String] = []
    private var clients: [SignalingClient] = []
    private var nextTransport: Int

    /// Enters every peer and produces; returns when every subscriber has been offered every stream.
    init(
        name: String, shape: Shape, port: Int, fingerprint: String, firstTransport: Int, group: any EventLoopGroup
    ) async throws {
        nextTransport = firstTransport
        var subscribers: [(client: SignalingClient, transport: Int)] = []
        for index in 0..<shape.subscribers {
            let peer = try await enter("\(name)-s\(index)", name, consumes: true, port, group)
            let transport = try await open(on: peer, producing: false, shape, fingerprint)
            subscribers.append((peer, transport.number))
        }
        for index in 0..<shape.publishers {
            let peer = try await enter("\(name)-p\(index)", name, consumes: false, port, group)
            let transport = try await open(on: peer, producing: true, shape, fingerprint)
            let ssrc = 10_000 + transport.number
            let request = Self.produce(transport.id, ssrc: ssrc, isAudio: shape.isAudio)
            _ = try await peer.request("produce", request)
            plan.append(
                "send transport=\(transport.number) ssrc=\(ssrc) pt=\(shape.isAudio ? 111 : 96) "
                    + "codec=\(shape.isAudio ? "opus" : "vp8") pps=\(shape.packetsPerSecond) size=\(shape.payload)")
        }
        let deadline = ContinuousClock.now + .seconds(30)
        for (client, transport) in subscribers {
            while try await client.consumerCount() < shape.publishers {
                guard ContinuousClock.now < deadline else {
                    throw ChildProcess.Failure(description: "the server did not offer every stream within 30 s")
                }
                try await Task.sleep(for: .milliseconds(5))
            }
            plan.append("expect transport=\(transport) streams=\(shape.publishers)")
        }
    }

    var transportCount: Int { clients.count }

    func close() async {
        for client in clients { await client.close() }
    }

    private mutating func enter(
        _ peer: String, _ room: String, consumes: Bool, _ port: Int, _ group: any EventLoopGroup
    ) async throws -> SignalingClient {
        let client = try await SignalingClient.connect(port: port, room: room, peer: peer, group: group)
        clients.append(client)
        var join: SignalingClient.JSON = [
            "displayName": peer, "device": ["flag": "bench", "name": "RoomFanout", "version": "1"],
        ]
        let capabilities = try await client.request("getRouterRtpCapabilities", [:])
        if consumes { join["rtpCapabilities"] = capabilities }
        _ = try await client.request("join", join)
        return client
    }

    private mutating func open(
        on peer: SignalingClient, producing: Bool, _ shape: Shape, _ fingerprint: String
    ) async throws -> (id: String, number: Int) {
        let answer = try await peer.request(
            "createWebRtcTransport", ["forceTcp": false, "producing": producing, "consuming": !producing])
        guard let id = answer["id"] as? String, let ice = answer["iceParameters"] as? [String: any Sendable],
            let user = ice["usernameFragment"] as? String, let password = ice["password"] as? String,
            let candidate = (answer["iceCandidates"] as? [any Sendable])?.first as? [String: any Sendable],
            let address = candidate["ip"] as? String, let port = candidate["port"] as? Int
        else {
            throw ChildProcess.Failure(description: "the server's transport is not what a client expects: \(answer)")
        }
        let fingerprints = [["algorithm": "sha-256", "value": fingerprint]]
        let dtls: SignalingClient.JSON = ["role": "client", "fingerprints": fingerprints]
        _ = try await peer.request("connectWebRtcTransport", ["transportId": id, "dtlsParameters": dtls])
        let number = nextTransport
        nextTransport += 1
        plan.append(
            "transport id=\(number) addr=\(address) port=\(port) lufrag=load\(number) lpwd=loadloadloadloadloadload "
                + "rufrag=\(user) rpwd=\(password) dtls=client profile=\(shape.profile)")
        return (id, number)
    }

    private static func produce(_ transport: String, ssrc: Int, isAudio: Bool) -> SignalingClient.JSON {
        let codec: SignalingClient.JSON =
            isAudio
            ? ["mimeType": "audio/opus", "payloadType": 111, "clockRate": 48000, "channels": 2]
            : ["mimeType": "video/VP8", "payloadType": 96, "clockRate": 90000]
        let parameters: SignalingClient.JSON = [
            "codecs": [codec], "encodings": [["ssrc": ssrc]], "rtcp": ["cname": "bench\(ssrc)"], "mid": "0",
        ]
        return [
            "transportId": transport, "kind": isAudio ? "audio" : "video", "rtpParameters": parameters,
            "appData": [String: String](),
        ]
    }
}
