import HTTPTypes
import RoundhouseRooms
import Testing

@testable import RoundhouseGateway

@Suite struct RequestTargetTests {
    @Test func `paths and queries are decoded`() throws {
        let target = try #require(RequestTarget("/rooms/a%2Fb%20c?x=1&y=%C3%A9+z&flag&x=2#part"))
        #expect(target.path == ["rooms", "a/b c"])
        #expect(target["x"] == "1")
        #expect(target["y"] == "é z")
        #expect(target["flag"] == "")
        #expect(target["none"] == nil)
    }

    @Test(arguments: ["/", "/?", "", "*", "http://host", "http://host/", "/#x"])
    func `nothing is the root`(target: String) throws {
        #expect(try #require(RequestTarget(target)).path == [])
    }

    @Test func `the absolute form names the same path`() throws {
        #expect(try #require(RequestTarget("http://host:3016/rooms?a=b")).path == ["rooms"])
        #expect(try #require(RequestTarget("/?u=http://x/y")).path == [])
    }

    @Test(arguments: ["/%", "/%4", "/%zz", "/%ff", "/a%00b", "/?a=%", "/?%zz=1"])
    func `broken encoding is refused`(target: String) { #expect(RequestTarget(target) == nil) }
}

@Suite struct StaticAssetsTests {
    private let assets = StaticAssets(files: [("index.html", Array("<p>".utf8)), ("app.js", Array("1".utf8))])

    private func get(_ path: [String], tag: String? = nil) -> OutgoingResponse? {
        var head = HTTPRequest(method: .get, scheme: "http", authority: nil, path: "/")
        head.headerFields[.ifNoneMatch] = tag
        return assets.response(to: IncomingRequest(head: head), path: path)
    }

    @Test func `the root is the index, and both say what they are`() throws {
        let index = try #require(get([]))
        #expect(index.body == Array("<p>".utf8))
        #expect(index.head.headerFields[.contentType] == "text/html; charset=utf-8")
        #expect(index.head.headerFields[.xContentTypeOptions] == "nosniff")
        #expect(index.head.headerFields[.cacheControl] == "no-cache")
        #expect(index.head.headerFields[.contentSecurityPolicy]?.contains("default-src 'self'") == true)
        #expect(try #require(get(["app.js"])).head.headerFields[.contentType] == "text/javascript; charset=utf-8")
    }

    @Test func `a page connects to its own host only, and no other page's script reads or opens it`() throws {
        func fields(_ path: [String], _ authority: String?) throws -> HTTPFields {
            let head = HTTPRequest(method: .get, scheme: "http", authority: authority, path: "/")
            let client = StaticAssets(files: [("index.html", [1]), ("socket.io/socket.io.js", [1])])
            return try #require(client.response(to: IncomingRequest(head: head), path: path)).head.headerFields
        }
        let index = try fields([], "meet.example:8443")
        let policy = try #require(index[.contentSecurityPolicy])
        #expect(policy.contains("connect-src 'self' ws://meet.example:8443 wss://meet.example:8443;"))
        for authority in [nil, "a; script-src *", "a b", "*", "a'b", "ü"] {
            #expect(try fields([], authority)[.contentSecurityPolicy]?.contains("connect-src 'self';") == true)
        }
        #expect(try fields([], "[::1]:3016")[.contentSecurityPolicy]?.contains(" wss://[::1]:3016;") == true)
        #expect(index[.permissionsPolicy]?.contains("camera=(self), microphone=(self), display-capture=(self)") == true)
        #expect(index[.crossOriginOpenerPolicy] == "same-origin")
        #expect(index[.crossOriginResourcePolicy] == "same-origin")
        // The one file that is made for pages elsewhere.
        #expect(try fields(["socket.io", "socket.io.js"], "h")[.crossOriginResourcePolicy] == "cross-origin")
    }

    @Test(arguments: [
        ["..", "Package.swift"], ["../index.html"], ["app.js", ""], [""], ["etc", "passwd"], ["App.js"],
    ])
    func `no other path has a file`(path: [String]) { #expect(get(path) == nil) }

    @Test func `a known tag is answered with 304 and no body`() throws {
        let tag = try #require(get([])?.head.headerFields[.eTag])
        for header in [tag, "W/" + tag, "\"x\", " + tag, "*"] {
            let response = try #require(get([], tag: header))
            #expect(response.head.status == .notModified)
            #expect(response.body.isEmpty)
            #expect(response.head.headerFields[.eTag] == tag)
        }
        #expect(try #require(get([], tag: "\"x\"")).head.status == .ok)
        #expect(try #require(get(["app.js"])?.head.headerFields[.eTag]) != tag)
    }

    @Test func `the built page has an index`() {
        let request = IncomingRequest(head: HTTPRequest(method: .get, scheme: "http", authority: nil, path: "/"))
        #expect((StaticAssets().response(to: request, path: [])?.body.count ?? 0) > 0)
    }
}

@Suite struct SignalingHandshakeTests {
    private func judge(_ path: String, _ change: (inout HTTPRequest) -> Void = { _ in }) -> SignalingHandshake.Outcome {
        var request = HTTPRequest(
            method: .get, scheme: "http", authority: "localhost", path: path,
            headerFields: [
                .connection: "keep-alive, Upgrade", .upgrade: "WebSocket", .secWebSocketVersion: "13",
                .secWebSocketKey: "dGhlIHNhbXBsZSBub25jZQ==", .secWebSocketProtocol: "chat, protoo",
            ])
        change(&request)
        return SignalingHandshake.validate(request)
    }

    private func status(_ outcome: SignalingHandshake.Outcome) -> Int? {
        if case .refuse(let response) = outcome { response.head.status.code } else { nil }
    }

    @Test func `a good handshake names room, peer and dialect`() throws {
        guard case .accept(let handshake) = judge("/?peerId=b%C3%B6b&roomId=r%201&consumerReplicas=2") else {
            Issue.record("refused")
            return
        }
        guard case .room(let entry) = handshake.destination else { throw NeverHappened() }
        #expect(entry.room.rawValue == "r 1")
        #expect(entry.peer.rawValue == "böb")
        #expect(entry.password == "")
        #expect(!entry.isResumable && entry.resumption == nil)
        #expect(handshake.responseFields[.secWebSocketProtocol] == "protoo")
    }

    @Test func `a handshake may bring the room's password`() throws {
        guard case .accept(let handshake) = judge("/?roomId=r&peerId=p&password=a%20b"),
            case .room(let entry) = handshake.destination
        else { throw NeverHappened() }
        #expect(entry.password == "a b")
    }

    @Test func `a handshake may ask for a way back, and take it`() throws {
        guard case .accept(let first) = judge("/?roomId=r&peerId=p&resumption=yes&protocol=2026"),
            case .room(let entry) = first.destination
        else { throw NeverHappened() }
        #expect(entry.isResumable && entry.resumption == nil)
        guard case .accept(let second) = judge("/?roomId=r&peerId=p&resume=abc&ack=17"),
            case .room(let back) = second.destination
        else { throw NeverHappened() }
        #expect(back.resumption?.token == "abc" && back.resumption?.acknowledged == 17)
        for query in ["resume=abc&ack=x", "resume=abc&ack=-1", "protocol=2025"] {
            #expect(status(judge("/?roomId=r&peerId=p&\(query)")) == 400, "\(query)")
        }
    }

    @Test func `a WebSocket at Engine.IO's path needs no subprotocol and gets none`() throws {
        for path in ["/socket.io/?EIO=4&transport=websocket&sid=x", "/socket.io?transport=websocket&sid=x&EIO=4"] {
            guard case .accept(let handshake) = judge(path, { $0.headerFields[.secWebSocketProtocol] = nil }),
                case .socketIO(session: "x") = handshake.destination
            else { throw NeverHappened() }
            #expect(handshake.responseFields.isEmpty)
        }
        #expect(status(judge("/socket.io/?EIO=3&transport=websocket")) == 400)
        #expect(status(judge("/socket.io/?EIO=4&transport=polling")) == 400)
        #expect(status(judge("/socket.io/?EIO=4")) == 400)
        #expect(status(judge("/socket.io/x?EIO=4&transport=websocket")) == 404)
    }

    @Test func `a request without Upgrade is none`() {
        guard case .notAHandshake = judge("/?roomId=r&peerId=p", { $0.headerFields[.upgrade] = nil }) else {
            Issue.record("taken for an upgrade")
            return
        }
    }

    @Test(arguments: [
        "/", "/?roomId=r", "/?peerId=p", "/?roomId=&peerId=p", "/?roomId=r&peerId=", "/?roomId=a%0Ab&peerId=p",
        "/?roomId=r&peerId=a%E2%80%AEb", "/?roomId=r&peerId=" + String(repeating: "x", count: 65),
        "/?roomId=%zz&peerId=p",
    ])
    func `a room or peer that is missing or unprintable is a bad request`(path: String) {
        #expect(status(judge(path)) == 400)
    }

    @Test func `64 characters are allowed`() {
        let name = String(repeating: "%C3%A9", count: 64)
        #expect(status(judge("/?roomId=\(name)&peerId=\(name)")) == nil)
    }

    @Test func `each missing part of the handshake is refused by its own status`() {
        let path = "/?roomId=r&peerId=p"
        #expect(status(judge(path) { $0.headerFields[.secWebSocketProtocol] = "chat" }) == 400)
        #expect(status(judge(path) { $0.headerFields[.secWebSocketProtocol] = nil }) == 400)
        #expect(status(judge(path) { $0.headerFields[.secWebSocketVersion] = "8" }) == 426)
        #expect(status(judge(path) { $0.headerFields[.secWebSocketKey] = "short" }) == 400)
        #expect(status(judge(path) { $0.headerFields[.connection] = "close" }) == 400)
        #expect(status(judge(path) { $0.method = .post }) == 405)
        #expect(status(judge("/other?roomId=r&peerId=p")) == 404)
    }
}
