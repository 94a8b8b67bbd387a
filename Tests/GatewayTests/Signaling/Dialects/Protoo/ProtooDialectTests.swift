import RoundhouseRooms
import Testing

@testable import RoundhouseGateway

@Suite struct ProtooDialectTests {
    private let dialect = ProtooDialect()

    @Test(arguments: [
        "", " ", "{", "}", "nul", "{\"request\":true,", "\u{0}", "{'request':true}", "[1,2", "\"\\ud800\"",
        "1e999", "{\"a\":1}x",
    ])
    func `text that is not JSON is ignored`(text: String) {
        guard case .ignored(.notJSON) = dialect.decode(text) else {
            Issue.record("took \(text.prefix(40)) for \(dialect.decode(text))")
            return
        }
    }

    @Test func `text nested a hundred thousand deep is ignored`() {
        for unit in ["[", "{\"a\":"] {
            guard case .ignored(.notJSON) = dialect.decode(String(repeating: unit, count: 100_000)) else {
                Issue.record("took \(unit)")
                continue
            }
        }
    }

    @Test(arguments: [
        "null", "1", "\"x\"", "[]", "[{\"request\":true,\"id\":1,\"method\":\"join\"}]", "{}", "{\"method\":\"join\"}",
        "{\"request\":true,\"method\":\"join\"}", "{\"request\":true,\"id\":null,\"method\":\"join\"}",
        "{\"request\":true,\"id\":[],\"method\":\"join\"}", "{\"request\":true,\"id\":{},\"method\":\"join\"}",
    ])
    func `JSON without anybody to answer is ignored`(text: String) {
        guard case .ignored(.notAMessage) = dialect.decode(text) else {
            Issue.record("took \(text) for \(dialect.decode(text))")
            return
        }
    }

    @Test(arguments: [
        ("{\"id\":1,\"method\":\"join\"}", "request"),
        ("{\"request\":\"yes\",\"id\":1,\"method\":\"join\"}", "request"),
        ("{\"request\":true,\"id\":\"1\",\"method\":\"join\"}", "id"),
        ("{\"request\":true,\"id\":true,\"method\":\"join\"}", "id"),
        ("{\"request\":true,\"id\":1}", "method"), ("{\"request\":true,\"id\":1,\"method\":7}", "method"),
        ("{\"request\":true,\"id\":1,\"method\":\"join\",\"data\":[]}", "data"),
        ("{\"request\":true,\"id\":1,\"method\":\"join\",\"data\":\"x\"}", "data"),
        ("{\"request\":true,\"id\":1,\"method\":\"restartIce\"}", "transportId"),
        ("{\"request\":true,\"id\":1,\"method\":\"restartIce\",\"data\":{\"transportId\":5}}", "transportId"),
        ("{\"request\":true,\"id\":1,\"method\":\"join\",\"data\":{\"displayName\":{}}}", "displayName"),
        (
            "{\"request\":true,\"id\":1,\"method\":\"produce\",\"data\":{\"transportId\":\"a\",\"kind\":\"smell\"}}",
            "kind"
        ),
    ])
    func `a request with an id is answered with the field that is wrong`(text: String, field: String) {
        guard case .badRequest(_, let error, _) = dialect.decode(text) else {
            Issue.record("took \(text) for \(dialect.decode(text))")
            return
        }
        #expect(error.code == .invalidRequest)
        #expect(error.message.contains(field))
    }

    @Test func `an unknown method is refused in the demo's words, and quotes no more than a bit of it`() throws {
        let method = String(repeating: "x", count: 10_000)
        guard
            case .badRequest(let id, let error, .unknownMethod) = dialect.decode(
                "{\"request\":true,\"id\":3,\"method\":\"\(method)\"}")
        else {
            Issue.record("not refused")
            return
        }
        let answer = try JSONValue(parsing: dialect.encode(.response(.failure(error), to: id), number: nil))
        #expect(answer["ok"] == .bool(false))
        #expect(answer["id"] == .integer(3))
        #expect(answer["errorCode"] == .integer(500))
        guard case .string(let reason)? = answer["errorReason"] else {
            Issue.record("no reason")
            return
        }
        #expect(reason.hasPrefix("unknown request.method \"xxx"))
        #expect(reason.utf8.count < 200)
    }

    @Test(arguments: ["7", "-7", "0", "4294967296", "9007199254740991", "1.5", "1e20"])
    func `any number is an id and comes back`(number: String) throws {
        guard
            case .request(let id, .room(.getRouterRtpCapabilities), _) = dialect.decode(
                "{\"request\":true,\"id\":\(number),\"method\":\"getRouterRtpCapabilities\"}")
        else {
            Issue.record("not taken")
            return
        }
        let answer = try JSONValue(
            parsing: dialect.encode(.response(.success(dialect.data(of: .done)), to: id), number: nil))
        #expect(answer["id"] == (try JSONValue(parsing: number)))
        #expect(answer["ok"] == .bool(true))
        #expect(answer["response"] == .bool(true))
        #expect(answer["data"] == .object([:]))
    }

    private func answer(_ text: String) -> (id: UInt32, isAccepted: Bool)? {
        if case .answer(let id, let isAccepted) = dialect.decode(text) { (id, isAccepted) } else { nil }
    }

    @Test func `responses are matched by number, and strange ones ignored`() throws {
        let accepted = try #require(answer("{\"response\":true,\"id\":5,\"ok\":true,\"data\":{}}"))
        #expect(accepted == (5, true))
        let refused = try #require(
            answer("{\"response\":true,\"id\":5,\"ok\":false,\"errorCode\":400,\"errorReason\":\"no\"}"))
        #expect(refused == (5, false))
        for id in ["-1", "4294967296", "\"5\"", "null", "1.5", "[]"] {
            #expect(answer("{\"response\":true,\"id\":\(id),\"ok\":true}") == nil, "the id \(id)")
        }
    }

    @Test func `notifications and requests carry method and data`() throws {
        let notification = try JSONValue(
            parsing: dialect.encode(.notification(.peerClosed(PeerID("bo\"b"), .disconnected)), number: nil))
        #expect(notification["notification"] == .bool(true))
        #expect(notification["method"] == .string("peerClosed"))
        #expect(notification["data"] == .object(["peerId": .string("bo\"b")]))
    }

    @Test func `every error has a code and a number that protoo clients can show`() {
        for code in RoomError.Code.allCases { #expect((400...599).contains(ProtooDialect.errorCode(code)), "\(code)") }
    }
}
