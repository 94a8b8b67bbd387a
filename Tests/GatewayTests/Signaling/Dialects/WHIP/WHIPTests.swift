import RoundhouseMedia
import RoundhouseRooms
import Testing

@testable import RoundhouseGateway

@Suite("WHIP and WHEP over HTTP", .timeLimit(.minutes(15))) struct WHIPTests {
    private func exchange(
        _ client: RawClient, _ method: String, _ target: String, type: String? = nil, fields: String = "",
        body: [UInt8] = []
    ) async throws -> RawResponse {
        let contentType = type.map { "Content-Type: \($0)\r\n" } ?? ""
        let head = "\(method) \(target) HTTP/1.1\r\nHost: localhost\r\n\(contentType)\(fields)"
        try await client.send(Array("\(head)Content-Length: \(body.count)\r\n\r\n".utf8) + body)
        return try await client.readResponse()
    }

    private func offer(
        _ client: RawClient, _ target: String, _ body: [UInt8], type: String = "application/sdp"
    ) async throws -> RawResponse {
        try await exchange(client, "POST", target, type: type, body: body)
    }

    private func code(_ response: RawResponse) throws -> String? {
        guard case .object(let fields) = try JSONValue(parsing: response.body),
            case .object(let error)? = fields["error"],
            case .string(let code)? = error["code"]
        else { return nil }
        return code
    }

    @Test(arguments: [
        OfferFile.chromiumPublish, .chromiumSimulcast, .firefoxSimulcast, .aiortcPublish, .gstreamerPublish,
        .ffmpegPublish,
    ])
    func `a publisher is a peer that others see until its session is deleted`(_ file: OfferFile) async throws {
        try await TestServer.with { server in
            let page = try await server.join("page")
            _ = try await page.join("Page")
            let client = try await server.connect()
            let created = try await offer(client, "/whip/lobby?peerId=camera&displayName=Camera%20One", try file.bytes)
            #expect(created.status == 201, "\(created.body)")
            #expect(created.fields["content-type"] == "application/sdp")
            #expect(created.fields["access-control-allow-origin"] == nil, "no page of another origin asked")
            let location = try #require(created.fields["location"])
            #expect(location.hasPrefix("/whip/lobby/"))
            #expect(created.fields["etag"]?.hasPrefix("\"") == true)
            let answer = try SessionDescription(parsing: Array(created.body.utf8))
            #expect(answer.media.map(\.port) == [40000, 40000])
            let snapshot = try #require(await server.rooms.room(RoomID("lobby"))?.snapshot())
            let camera = try #require(snapshot.peers.first { $0.peer.id == PeerID("camera") })
            #expect(camera.isJoined && camera.peer.displayName == "Camera One")
            #expect(Set(camera.transports.flatMap(\.producers).map(\.kind)) == [.audio, .video])

            #expect(try await exchange(client, "DELETE", location).status == 200)
            #expect(try await exchange(client, "PATCH", location).status == 404)
            let left = try #require(await server.rooms.room(RoomID("lobby"))?.snapshot())
            #expect(left.peers.map(\.peer.id) == [PeerID("page")])
            try await page.close()
        }
    }

    @Test func `publishers without a name are numbered, and a number that is free is taken again`() async throws {
        try await TestServer.with { server in
            let client = try await server.connect()
            func publish(_ room: String) async throws -> String {
                let created = try await offer(client, "/whip/\(room)", try OfferFile.chromiumPublish.bytes)
                return try #require(created.fields["location"], "\(created.body)")
            }
            func names(_ room: String) async throws -> Set<String> {
                Set(try #require(await server.rooms.room(RoomID(room))?.snapshot()).peers.map(\.peer.displayName))
            }
            let first = try await publish("lobby")
            _ = try await publish("lobby")
            _ = try await publish("stage")
            #expect(try await names("lobby") == ["WHIP", "WHIP 2"])
            #expect(try await names("stage") == ["WHIP"])
            #expect(try await exchange(client, "DELETE", first).status == 200)
            _ = try await publish("lobby")
            _ = try await publish("lobby")
            #expect(try await names("lobby") == ["WHIP", "WHIP 2", "WHIP 3"])
        }
    }

    private static let channels =
        "m=application 9 UDP/DTLS/SCTP webrtc-datachannel\r\nc=IN IP4 0.0.0.0\r\na=mid:9\r\na=sctp-port:5000\r\n"
        + "a=max-message-size:262144\r\n"

    private func withChannels(_ file: OfferFile) throws -> [UInt8] {
        let text = String(decoding: try file.bytes, as: UTF8.self)
        let group = try #require(text.split(separator: "\r\n").first { $0.hasPrefix("a=group:BUNDLE") })
        return Array((text.replacing(group, with: group + " 9") + Self.channels).utf8)
    }

    @Test func `publishers and viewers that offer data channels get them, and others' none`() async throws {
        try await TestServer.with { server in
            let client = try await server.connect()
            let published = try await offer(client, "/whip/lobby", try withChannels(.chromiumPublish))
            #expect(published.status == 201, "\(published.body)")
            let watched = try await offer(client, "/whep/lobby", try withChannels(.chromiumWatch))
            #expect(watched.status == 201, "\(watched.body)")
            for body in [published.body, watched.body] {
                let answer = try SessionDescription(parsing: Array(body.utf8))
                #expect(answer.media.map(\.port) == [40000, 40000, 40000])
                #expect(answer.media[2].attributes.contains(SDPAttribute("max-message-size", "262144")))
            }
            let snapshot = try #require(await server.rooms.room(RoomID("lobby"))?.snapshot())
            #expect(snapshot.peers.flatMap(\.transports).allSatisfy { $0.sctp != nil })
            let without = try await offer(client, "/whep/lobby", try OfferFile.chromiumWatch.bytes)
            #expect(without.status == 201)
            let later = try #require(await server.rooms.room(RoomID("lobby"))?.snapshot())
            #expect(later.peers.flatMap(\.transports).count { $0.sctp == nil } == 1)
        }
    }

    @Test func `a publisher of nothing but data is one`() async throws {
        try await TestServer.with { server in
            let client = try await server.connect()
            let text = String(decoding: smallOffer(), as: UTF8.self)
            let head = text.prefix { $0 != "m" }.replacing("BUNDLE a", with: "BUNDLE 9")
            let own = text.split(separator: "\n").filter { line in
                ["a=ice-", "a=fing", "a=setu"].contains(line.prefix(6))
            }.joined(separator: "\r\n")
            let created = try await offer(client, "/whip/lobby", Array("\(head)\(Self.channels)\(own)\r\n".utf8))
            #expect(created.status == 201, "\(created.body)")
        }
    }

    @Test func `a viewer gets the first publisher's streams, unseen, and its session ends with them`() async throws {
        try await TestServer.with { server in
            let client = try await server.connect()
            let publisher = try await offer(client, "/whip/lobby", try OfferFile.chromiumSimulcast.bytes)
            let watching = try await offer(client, "/whep/lobby", try OfferFile.chromiumWatch.bytes)
            #expect(watching.status == 201, "\(watching.body)")
            let answer = try SessionDescription(parsing: Array(watching.body.utf8))
            let offered = try OfferFile.chromiumWatch.offer
            for (section, wish) in zip(answer.media, offered.media) {
                #expect(section.attributes.contains(SDPAttribute("sendonly")))
                #expect(Set(section.formats).isSubset(of: wish.description.formats))
                let ids = wish.extensions.map { "\($0.id) \($0.uri)" }
                for ext in section.attributes where ext.name == "extmap" {
                    #expect(ids.contains(ext.value ?? ""))
                }
            }
            #expect(answer.media[1].attributes.contains { $0.name == "ssrc-group" })
            let snapshot = try #require(await server.rooms.room(RoomID("lobby"))?.snapshot())
            #expect(snapshot.peers.map(\.isJoined) == [true, false])

            _ = try await exchange(client, "DELETE", try #require(publisher.fields["location"]))
            let location = try #require(watching.fields["location"])
            try await eventually { try await exchange(client, "PATCH", location).status == 404 }
            // A client that closed its connection first ends its session all the same.
            #expect(try await exchange(client, "DELETE", location).status == 200)
            #expect(try await exchange(client, "DELETE", location + "0").status == 404)
            try await eventually { server.rooms.list().isEmpty }
        }
    }

    @Test func `a viewer may choose a publisher, and is asked to wait while there is none`() async throws {
        try await TestServer.with { server in
            let client = try await server.connect()
            let body = try OfferFile.aiortcWatch.bytes
            let empty = try await offer(client, "/whep/lobby", body)
            #expect(empty.status == 404 && empty.fields["retry-after"] == "2")
            #expect(try code(empty) == "room-not-found")
            let page = try await server.join("page")
            _ = try await page.join("Page")
            let silent = try await offer(client, "/whep/lobby", body)
            #expect(silent.status == 409 && silent.fields["retry-after"] == "2")
            _ = try await offer(client, "/whip/lobby?peerId=one", try OfferFile.aiortcPublish.bytes)
            _ = try await offer(client, "/whip/lobby?peerId=two", try OfferFile.gstreamerPublish.bytes)
            #expect(try await offer(client, "/whep/lobby?peer=two", body).status == 201)
            #expect(try await offer(client, "/whep/lobby?peer=page", body).status == 409)
            let snapshot = try #require(await server.rooms.room(RoomID("lobby"))?.snapshot())
            let consumed = snapshot.peers.flatMap(\.transports).flatMap(\.consumers).map(\.producerID)
            let two = try #require(snapshot.peers.first { $0.peer.id == PeerID("two") })
            #expect(Set(consumed) == Set(two.transports.flatMap(\.producers).map(\.id)))
            try await page.close()
        }
    }

    @Test func `candidates are taken politely, and a restart gives new credentials and a new tag`() async throws {
        try await TestServer.with { server in
            let client = try await server.connect()
            let created = try await offer(client, "/whip/lobby", smallOffer())
            let location = try #require(created.fields["location"])
            let tag = try #require(created.fields["etag"])
            let type = "application/trickle-ice-sdpfrag"
            let trickle = Array("a=ice-ufrag:abcd\r\nm=audio 9 X 0\r\na=mid:a\r\na=candidate:1 1 udp 2 ::1 3\r\n".utf8)
            let restart = Array("a=ice-ufrag:efgh\r\na=ice-pwd:vutsrqponmlkjihgfedcba\r\n".utf8)
            func patch(_ body: [UInt8], _ match: String?, type: String = type) async throws -> RawResponse {
                let fields = match.map { "If-Match: \($0)\r\n" } ?? ""
                return try await exchange(client, "PATCH", location, type: type, fields: fields, body: body)
            }
            #expect(try await patch(trickle, tag).status == 204)
            // There is one state that a client without If-Match can mean.
            #expect(try await patch(trickle, nil).status == 204)
            #expect(try await patch(trickle, "\"other\"").status == 412)
            #expect(try await patch(trickle, tag, type: "text/plain").status == 415)
            #expect(try await patch(Array("x".utf8), tag).status == 400)
            let restarted = try await patch(restart, "*")
            #expect(restarted.status == 200)
            #expect(restarted.fields["etag"] != tag && restarted.fields["etag"] != nil)
            let fragment = try ICEFragment(parsing: Array(restarted.body.utf8))
            #expect("\"\(fragment.usernameFragment ?? "")\"" == restarted.fields["etag"])
            #expect(fragment.candidates == 1)
            #expect(try await patch(trickle, tag).status == 412)
            #expect(try await patch(trickle, nil).status == 428)
            _ = try await exchange(client, "DELETE", location)
        }
    }

    @Test func `what cannot be answered is refused with its reason and leaves no room`() async throws {
        try await TestServer.with { server in
            let client = try await server.connect()
            let good = smallOffer()
            let wrongType = try await offer(client, "/whip/lobby", good, type: "application/json")
            #expect(wrongType.status == 415 && wrongType.fields["accept-post"] == "application/sdp")
            let long = good + Array(String(repeating: "a=x\r\n", count: 10_000).utf8)
            let tooLong = try await offer(client, "/whip/lobby", long)
            #expect(tooLong.status == 400 && tooLong.body.contains("line 2001"))
            let wrong = try await offer(client, "/whip/lobby", smallOffer(replacing: "opus/48000/2", with: "opus"))
            #expect(wrong.status == 400 && wrong.body.contains("line 15, a=rtpmap"))
            let unknown = try await offer(client, "/whip/lobby", smallOffer(replacing: "opus", with: "speex"))
            #expect(unknown.status == 422 && unknown.body.contains("the room takes opus/48000/2"))
            let none = smallOffer(replacing: "opus", with: "speex")
            #expect(try await offer(client, "/whip/lobby?partial=yes", none).status == 422)
            let viewer = smallOffer(direction: "recvonly")
            #expect(try await offer(client, "/whip/lobby", viewer).status == 422)
            #expect(try await offer(client, "/whip/lobby?peerId=", good).status == 400)
            #expect(try await exchange(client, "GET", "/whip/lobby").fields["allow"] == "POST, OPTIONS")
            #expect(try await exchange(client, "GET", "/whip/lobby/none").status == 404)
            let slash = try await offer(client, "/whip/lobby/", good)
            #expect(slash.status == 404 && slash.body.contains("without a slash"))
            #expect(slash.fields["content-type"] == "application/problem+json")
            let problem = try JSONValue(parsing: Array(slash.body.utf8))
            #expect(problem["status"] == .integer(404) && problem["title"] == problem["error"]?["code"])
            #expect(problem["detail"] == problem["error"]?["message"] && problem["type"] == .string("about:blank"))
            let overTCP = smallOffer(
                replacing: "a=rtcp-mux",
                with: "a=rtcp-mux\na=candidate:1 1 TCP 5 192.0.2.1 9 typ host tcptype active\na=end-of-candidates")
            for endpoint in ["whip", "whep"] {
                let refused = try await offer(client, "/\(endpoint)/lobby", overTCP)
                #expect(refused.status == 422 && refused.body.contains("media goes over UDP"))
            }
            #expect(try await exchange(client, "POST", "/whip").status == 404)
            let preflight = try await exchange(client, "OPTIONS", "/whip/lobby")
            #expect(preflight.status == 204 && preflight.fields["accept-post"] == "application/sdp")
            #expect(preflight.fields["access-control-allow-methods"] == "POST, OPTIONS")
            let allowed = preflight.fields["access-control-allow-headers"]?.split(separator: ", ") ?? []
            #expect(Set(["Authorization", "ETag", "If-Match"]).isSubset(of: allowed))
            #expect(server.rooms.list().isEmpty)
        }
    }

    @Test(arguments: [
        (
            ["a=rtpmap:96 H265/90000"],
            ["section 2 (video, mid 1)", "offered H265", "the room takes VP8", "H264", "AV1"]
        ),
        (
            ["a=rtpmap:96 H264/90000", "a=fmtp:96 profile-level-id=f4001f;packetization-mode=1"],
            ["section 2", "profile-level-id=f4001f", "profile-level-id=640032"]
        ),
        (
            ["a=rtpmap:96 H264/90000", "a=fmtp:96 profile-level-id=42e01f;packetization-mode=2"],
            ["packetization-mode=2"]
        ),
        (["a=rtpmap:96 VP9/90000", "a=fmtp:96 profile-id=2"], ["offered VP9 (profile-id=2)", "VP9 (profile-id=0)"]),
        ([], ["offered no codec"]),
    ])
    func `an offer is taken whole or refused with what it offered and what the room takes`(
        _ video: [String], _ words: [String]
    ) async throws {
        try await TestServer.with { server in
            let client = try await server.connect()
            let refused = try await offer(client, "/whip/lobby", offerOfTwo(video: video))
            #expect(refused.status == 422, "\(refused.body)")
            #expect(try code(refused) == "unsupported")
            for word in words { #expect(refused.body.contains(word), "\(word): \(refused.body)") }
            #expect(!refused.body.contains("section 1"))
            #expect(server.rooms.list().isEmpty)
            // Whom a part of it helps can say so.
            let partial = try await offer(client, "/whip/lobby?partial=yes", offerOfTwo(video: video))
            #expect(partial.status == 201, "\(partial.body)")
            #expect(try SessionDescription(parsing: Array(partial.body.utf8)).media.map(\.port) == [40000, 0])
        }
    }

    @Test(arguments: [
        ("a=rtcp-mux\na=rtpmap:96", "a=rtpmap:96", "a=rtcp-mux"), ("BUNDLE 0 1", "BUNDLE 0", "BUNDLE"),
        ("m=video 9 UDP/TLS/RTP/SAVPF", "m=video 9 RTP/AVP", "RTP/AVP"),
    ])
    func `a section that has no place on the one transport refuses the offer`(
        _ old: String, _ new: String, _ word: String
    ) async throws {
        try await TestServer.with { server in
            let client = try await server.connect()
            let text = String(decoding: offerOfTwo(), as: UTF8.self).replacing(old, with: new)
            let refused = try await offer(client, "/whip/lobby", Array(text.utf8))
            #expect(refused.status == 422 && refused.body.contains("section 2 (video, mid 1)"), "\(refused.body)")
            #expect(refused.body.contains(word))
        }
    }

    @Test(arguments: ["a=recvonly", "a=inactive"])
    func `a section in which nothing is sent is rejected alone`(_ direction: String) async throws {
        try await TestServer.with { server in
            let client = try await server.connect()
            let text = String(decoding: offerOfTwo(video: ["a=rtpmap:96 H265/90000"]), as: UTF8.self)
                .replacing("a=mid:1\na=sendonly", with: "a=mid:1\n\(direction)")
            let created = try await offer(client, "/whip/lobby", Array(text.utf8))
            #expect(created.status == 201, "\(created.body)")
            #expect(try SessionDescription(parsing: Array(created.body.utf8)).media.map(\.port) == [40000, 0])
        }
    }

    @Test(arguments: ["42001f", "42e01f", "42c028", "4d001f", "64001f", "640028", "640c1f", nil], [1, 0, nil])
    func `every profile of H264 that browsers decode is taken`(_ profile: String?, _ mode: Int?) async throws {
        try await TestServer.with { server in
            let client = try await server.connect()
            let parameters =
                [profile.map { "profile-level-id=\($0)" }, mode.map { "packetization-mode=\($0)" }].compactMap(\.self)
                + ["level-asymmetry-allowed=1"]
            let format = "a=fmtp:96 \(parameters.joined(separator: ";"))"
            let video = ["a=rtpmap:96 H264/90000", format]
            let created = try await offer(client, "/whip/lobby", offerOfTwo(video: video))
            #expect(created.status == 201, "\(created.body)")
            let answer = try SessionDescription(parsing: Array(created.body.utf8))
            #expect(answer.media.map(\.port) == [40000, 40000])
            #expect(answer.media[1].attributes.contains(SDPAttribute("fmtp", String(format.dropFirst(7)))))
        }
    }

    @Test func `of several profiles the publisher is asked first for the one that most receivers decode`() async throws
    {
        try await TestServer.with { server in
            let client = try await server.connect()
            let video = [
                "a=rtpmap:96 H264/90000", "a=fmtp:96 profile-level-id=640c1f;packetization-mode=1",
                "a=rtpmap:97 H264/90000", "a=fmtp:97 profile-level-id=42e01f;packetization-mode=1",
                "a=rtpmap:98 VP8/90000",
            ]
            let text = String(decoding: offerOfTwo(video: video), as: UTF8.self)
                .replacing("SAVPF 96", with: "SAVPF 96 97 98")
            let created = try await offer(client, "/whip/lobby", Array(text.utf8))
            #expect(created.status == 201, "\(created.body)")
            #expect(try SessionDescription(parsing: Array(created.body.utf8)).media[1].formats == ["97", "96", "98"])
        }
    }

    @Test func `a client that never connects is forgotten`() async throws {
        try await TestServer.with { server in
            let sessions = SDPSessionTable()
            let negotiator = SDPNegotiator(
                rooms: server.rooms, sessions: sessions, logger: TestServer.silentLogger,
                connectTimeout: .milliseconds(50))
            let offer = try SDPOffer(SessionDescription(parsing: smallOffer()))
            _ = try await negotiator.publish(offer, room: "r%d", lease: HoldingLease {}, peerID: nil, displayName: "x")
            #expect(sessions.count == 1)
            try await eventually { sessions.count == 0 && server.rooms.list().isEmpty }
        }
    }

    @Test func `a room's password is asked for, by viewers before anything is said of the room`() async throws {
        try await TestServer.with { server in
            _ = try server.rooms.createRoom(RoomID("secret"), password: "pw")
            let client = try await server.connect()
            for target in ["/whip/secret", "/whip/secret?password=no", "/whep/secret"] {
                let refused = try await offer(client, target, smallOffer())
                #expect(refused.status == RoomError.Code.wrongPassword.httpStatus, "\(target)")
                #expect(try code(refused) == RoomError.Code.wrongPassword.name)
            }
            #expect(try await offer(client, "/whip/secret?password=pw", smallOffer()).status == 201)
            let viewer = smallOffer(direction: "recvonly")
            #expect(try await offer(client, "/whep/secret?password=pw", viewer).status == 201)
        }
    }

    @Test func `the newer publisher of a name takes the older one's place`() async throws {
        try await TestServer.with { server in
            let client = try await server.connect()
            let first = try await offer(client, "/whip/a%20b?peerId=cam", smallOffer())
            let second = try await offer(client, "/whip/a%20b?peerId=cam", smallOffer())
            let (old, new) = (try #require(first.fields["location"]), try #require(second.fields["location"]))
            #expect(new.hasPrefix("/whip/a%20b/"))
            #expect(try await exchange(client, "PATCH", old).status == 404)
            #expect(try await exchange(client, "DELETE", new).status == 200)
        }
    }
}
