import RoundhouseRooms
import Testing

@testable import RoundhouseGateway

/// A Socket.IO client over a WebSocket that comes back: keeps what it sent until the server has it, and knows what it got.
final class ResumingSocketIOClient {
    private let port: Int
    private(set) var socket: WebSocketClient
    private(set) var id = ""
    private(set) var token = ""
    private(set) var offset: String?
    private var sent: [String] = []
    private var waiting: Set<UInt64> = []
    private var lastID: UInt64 = 0
    /// The server's events, numbers taken off, in order.
    private(set) var events: [JSONValue] = []
    /// What came as acknowledgements, by their ids; each list has one element.
    private(set) var answers: [UInt64: [JSONValue]] = [:]

    init(_ server: TestServer) async throws {
        port = server.port
        socket = try await Self.opened(port)
        try await socket.send("40{\"resumption\":\"yes\"}")
        let greeting = try await self.greeting()
        id = try text(greeting["sid"])
        token = try text(greeting["pid"])
        #expect(try await packet() == "2[\"resumable\",{\"seconds\":3600,\"token\":\"\(token)\"}]")
    }

    private func text(_ value: JSONValue?) throws -> String {
        guard case .string(let text)? = value else { throw NeverHappened() }
        return text
    }

    private static func opened(_ port: Int) async throws -> WebSocketClient {
        let socket = try await WebSocketClient.open(
            port: port, target: "/socket.io/?EIO=4&transport=websocket", subprotocol: nil)
        guard try await socket.nextFrame().text.hasPrefix("0{") else { throw NeverHappened() }
        return socket
    }

    private func packet() async throws -> String {
        let text = try await socket.nextFrame().text
        guard text.hasPrefix("4") else { throw NeverHappened() }
        return String(text.dropFirst())
    }

    private func greeting() async throws -> JSONValue {
        let packet = try SocketIOPacket(parsing: try await packet())
        guard packet.kind == .connect, let data = packet.data else { throw NeverHappened() }
        return data
    }

    /// Emits an event that wants an answer.
    @discardableResult
    func emit(_ name: String, _ data: JSONValue = .object([:])) async throws -> UInt64 {
        lastID += 1
        waiting.insert(lastID)
        try await send(SocketIOPacket.event(name, [data], id: lastID))
        return lastID
    }

    func send(_ packet: SocketIOPacket) async throws {
        sent.append("4" + packet.text)
        try await socket.send("4" + packet.text)
    }

    /// Takes one packet of the server.
    func receive() async throws {
        let packet = try SocketIOPacket(parsing: try await packet())
        guard case .array(var values)? = packet.data else { throw NeverHappened() }
        switch packet.kind {
        case .event:
            guard case .string(let number)? = values.popLast(), let next = UInt64(number) else {
                throw NeverHappened()
            }
            #expect(next == (offset.flatMap { UInt64($0) } ?? 0) + 1)
            offset = number
            events.append(.array(values))
        case .ack:
            let id = try #require(packet.id)
            waiting.remove(id)
            answers[id, default: []].append(values.first ?? .null)
        default: throw NeverHappened()
        }
    }

    func receive(until condition: () -> Bool) async throws { while !condition() { try await receive() } }

    /// Ends the connection without a word.
    func cut() async { await socket.raw.close() }

    /// Opens a connection and asks for the session; the answer is yet to be read.
    func ask(pid: String? = nil) async throws {
        socket = try await Self.opened(port)
        let auth = JSONValue.fields([
            "pid": .string(pid ?? token), "offset": offset.map { .string($0) },
            "waiting": .array(waiting.sorted().map { .count($0) }),
        ])
        try await socket.send("40" + auth.text)
    }

    func resume() async throws {
        try await ask()
        let greeting = try await greeting()
        #expect(greeting["sid"] == .string(id) && greeting["pid"] == .string(token))
        guard case .integer(let received)? = greeting["received"] else { throw NeverHappened() }
        for text in sent.dropFirst(Int(received)) { try await socket.send(text) }
    }

    func greetingAfterRefusal() async throws -> JSONValue { try await greeting() }
    func raw() async throws -> String { try await packet() }
}
