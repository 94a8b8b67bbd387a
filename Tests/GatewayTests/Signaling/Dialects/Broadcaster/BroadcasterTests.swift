import HTTPTypes
import Logging
import RoundhouseRooms
import Testing

@testable import RoundhouseGateway
@testable import RoundhouseMedia

/// Broadcasters over plain transports, without sockets.
@Suite struct BroadcasterTests {
    private func endpoints(
        destinations: [String] = ["0.0.0.0/0"], idleTimeout: Duration = .seconds(60)
    ) throws -> BroadcasterEndpoints {
        BroadcasterEndpoints(
            rooms: try RoomRegistry(
                media: .recording(plainDestinations: destinations) { _, command in
                    if case .collectStatistics(let token, let keys, _, let queue) = command {
                        queue.append(.statistics(token: token, keys.map { TransportStatistics(key: $0) }))
                    }
                    return true
                }),
            access: AccessControl(adminToken: nil, counters: GatewayCounters()), counters: GatewayCounters(),
            logger: Logger(label: "test") { _ in SwiftLogNoOpLogHandler() }, idleTimeout: idleTimeout)
    }

    private func ask(
        _ endpoints: BroadcasterEndpoints, _ path: String, _ body: String = "", _ method: HTTPRequest.Method = .post,
        from remote: String? = nil, forwarding: Forwarding = .none
    ) async throws -> (status: Int, text: String, fields: [String: JSONValue]) {
        let request = IncomingRequest(
            head: HTTPRequest(
                method: method, scheme: "http", authority: "localhost", path: "/rooms/r/broadcasters" + path),
            body: Array(body.utf8), remoteAddress: remote.flatMap { ClientAddress(parsing: $0) }, forwarding: forwarding
        )
        let target = try #require(request.target)
        let response = try #require(await endpoints.respond(to: request, target))
        guard case .object(let fields)? = try? JSONValue(parsing: response.body) else {
            return (response.head.status.code, String(decoding: response.body, as: UTF8.self), [:])
        }
        return (response.head.status.code, String(decoding: response.body, as: UTF8.self), fields)
    }

    private func made(
        destinations: [String] = ["0.0.0.0/0"], idleTimeout: Duration = .seconds(60)
    ) async throws -> BroadcasterEndpoints {
        let endpoints = try endpoints(destinations: destinations, idleTimeout: idleTimeout)
        let made = try await ask(endpoints, "", #"{"id": "b", "displayName": "B", "device": {"name": "ffmpeg"}}"#)
        #expect(made.status == 200)
        return endpoints
    }

    private func id(_ fields: [String: JSONValue]) throws -> String {
        guard case .string(let id)? = fields["id"] else { throw RoomError(.internalError, "no id") }
        return id
    }

    @Test func `a plain transport is what is meant where no type is given`() async throws {
        let endpoints = try await made()
        for body in ["", "{}", #"{"type": "plain"}"#, #"{"comedia": true, "rtcpMux": false, "appData": {}}"#] {
            let opened = try await ask(endpoints, "/b/transports", body)
            #expect(opened.status == 200)
            #expect(Set(opened.fields.keys) == ["id", "transportId", "ip", "port", "rtcpPort"], "\(body)")
        }
        let muxed = try await ask(endpoints, "/b/transports", #"{"rtcpMux": true, "enableSrtp": true}"#)
        #expect(Set(muxed.fields.keys) == ["id", "transportId", "ip", "port", "srtpParameters"])
        let webRTC = try await ask(endpoints, "/b/transports", #"{"type": "webrtc"}"#)
        #expect(webRTC.fields["iceParameters"] != nil)
    }

    @Test func `connect takes what the transport's kind needs, under both its names`() async throws {
        let endpoints = try await made()
        for name in ["connect", "plain-connect"] {
            let plain = try id(try await ask(endpoints, "/b/transports", #"{"comedia": false}"#).fields)
            let path = "/b/transports/\(plain)/\(name)"
            let short = try await ask(endpoints, path, #"{"ip": "192.0.2.1", "port": 5000}"#)
            #expect(short.status == 400)
            #expect(short.text.hasPrefix("TypeError: rtcpPort: "))
            let told = try await ask(endpoints, path, #"{"ip": "192.0.2.1", "port": 5000, "rtcpPort": 5001}"#)
            #expect(told.status == 200)
            let again = try await ask(endpoints, path, #"{"ip": "192.0.2.1", "port": 5000, "rtcpPort": 5001}"#)
            #expect(again.status == 500)
            #expect(again.text.contains("already"))
        }
        let webRTC = try id(try await ask(endpoints, "/b/transports", #"{"type": "webrtc"}"#).fields)
        let wrong = try await ask(endpoints, "/b/transports/\(webRTC)/connect", "{}")
        #expect(wrong.status == 400)
        #expect(wrong.text.contains("dtlsParameters"))
    }

    @Test func `a producer lives on it, known by its SSRC alone, and goes with the broadcaster`() async throws {
        let endpoints = try await made()
        let transport = try id(try await ask(endpoints, "/b/transports").fields)
        let codec = #"{"mimeType": "audio/opus", "payloadType": 101, "clockRate": 48000, "channels": 2}"#
        let parameters = #"{"codecs": [\#(codec)], "encodings": [{"ssrc": 1111}]}"#
        let produced = try await ask(
            endpoints, "/b/transports/\(transport)/producers",
            #"{"kind": "audio", "rtpParameters": \#(parameters)}"#)
        #expect(produced.status == 200)
        #expect(produced.fields["id"] != nil)
        let twice = try await ask(
            endpoints, "/b/producers",
            #"{"transportId": "\#(transport)", "kind": "audio", "rtpParameters": \#(parameters)}"#)
        #expect(twice.status == 500)
        let unknown = try await ask(
            endpoints, "/b/transports/nothing/producers",
            #"{"kind": "audio", "rtpParameters": \#(parameters)}"#)
        #expect(unknown.status == 500)
        #expect(unknown.text.contains("not found"))
        let gone = try await ask(endpoints, "/b", "", .delete)
        #expect(gone.text == "broadcaster deleted")
        let after = try await ask(endpoints, "/b/transports")
        #expect(after.status != 200)
    }

    @Test func `RTP goes to the address that asks for the transport, unless that may be a proxy's`() async throws {
        let endpoints = try endpoints(destinations: [])
        func connect(from remote: String, to ip: String, forwarding: Forwarding = .none) async throws -> Int {
            let broadcaster = #"{"id": "b", "displayName": "B", "device": {"name": "ffmpeg"}}"#
            #expect(try await ask(endpoints, "", broadcaster, from: remote).status == 200)
            let opened = try await ask(
                endpoints, "/b/transports", #"{"comedia": false, "rtcpMux": true}"#, from: remote,
                forwarding: forwarding)
            let path = "/b/transports/\(try id(opened.fields))/connect"
            let answer = try await ask(endpoints, path, #"{"ip": "\#(ip)", "port": 5000}"#, from: remote)
            if answer.status == 403 { #expect(answer.text.contains("--plain-destinations")) }
            // A broadcaster belongs to the address that made it.
            #expect(try await ask(endpoints, "/b", "", .delete, from: remote).status == 200)
            return answer.status
        }
        #expect(try await connect(from: "192.0.2.1", to: "192.0.2.1") == 200)
        #expect(try await connect(from: "192.0.2.1", to: "192.0.2.2") == 403)
        #expect(try await connect(from: "127.0.0.1", to: "127.0.0.1") == 403)
        #expect(try await connect(from: "192.0.2.1", to: "192.0.2.1", forwarding: .byTrustedProxy) == 200)
        #expect(try await connect(from: "192.0.2.1", to: "192.0.2.1", forwarding: .byUnknownProxy) == 403)
    }

    @Test func `one that does nothing ends, and frees its ports`() async throws {
        let endpoints = try await made(idleTimeout: .milliseconds(100))
        let transport = try id(try await ask(endpoints, "/b/transports", #"{"comedia": false}"#).fields)
        let connected = try await ask(
            endpoints, "/b/transports/\(transport)/connect", #"{"ip": "192.0.2.1", "port": 5000, "rtcpPort": 5001}"#)
        #expect(connected.status == 200)
        try await eventually { endpoints.rooms.list().isEmpty }
    }

    @Test func `looks without a packet or a request are counted, and begin again with either`() {
        var watch = IdleWatch()
        let quiet = PeerActivity(isChecked: false, traffic: 5)
        #expect((0..<4).map { _ in watch.look(requests: 1, quiet) } == [0, 1, 2, 3])
        #expect(watch.look(requests: 2, quiet) == 0)
        #expect(watch.look(requests: 2, quiet) == 1)
        #expect(watch.look(requests: 2, PeerActivity(isChecked: false, traffic: 6)) == 0)
        #expect((0..<3).map { _ in watch.look(requests: 2, PeerActivity(isChecked: true, traffic: 6)) } == [0, 0, 0])
    }
}
