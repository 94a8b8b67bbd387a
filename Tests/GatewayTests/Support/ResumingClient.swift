import RoundhouseRooms
import Testing

@testable import RoundhouseGateway

/// A protoo client that comes back: numbers what it sends, keeps it until the server has it, and counts what it gets.
final class ResumingClient {
    private let port: Int
    private let target: String
    private var socket: WebSocketClient
    private(set) var token: String
    private(set) var received: Int64 = 0
    private var sent: Int64 = 0
    private var kept: [(number: Int64, text: String)] = []
    /// The numbered messages of the server, in order.
    private(set) var messages: [JSONValue] = []

    /// - Parameter query: further items, each with its "&".
    init(_ server: TestServer, _ peer: String, room: String = "lobby", query: String = "") async throws {
        port = server.port
        target = "/?roomId=\(room)&peerId=\(peer)" + query
        socket = try await WebSocketClient.open(port: port, target: target + "&resumption=yes")
        let first = try await socket.nextMessage()
        guard first["method"] == .string("resumable"), case .string(let token)? = first["data"]?["token"] else {
            throw NeverHappened()
        }
        self.token = token
    }

    func request(_ id: Int64, _ method: String, _ data: JSONValue = .object([:])) async throws {
        try await send([
            "request": .bool(true), "id": .integer(id), "method": .string(method), "data": data,
        ])
    }

    func send(_ fields: [String: JSONValue]) async throws {
        sent += 1
        var fields = fields
        fields["seq"] = .integer(sent)
        let text = JSONValue.object(fields).text
        kept.append((sent, text))
        try await socket.send(text)
    }

    /// Takes one message of the server.
    func receive() async throws {
        let message = try await socket.nextMessage()
        guard case .integer(let number)? = message["seq"] else { throw NeverHappened() }
        #expect(number == received + 1, "\(message.text)")
        received = number
        messages.append(message)
    }

    func receive(until condition: () -> Bool) async throws { while !condition() { try await receive() } }

    /// Ends the connection without a word.
    func cut() async { await socket.raw.close() }

    /// Comes back.
    func resume() async throws {
        socket = try await WebSocketClient.open(port: port, target: target + "&resume=\(token)&ack=\(received)")
        let first = try await socket.nextMessage()
        guard first["method"] == .string("resumed"), case .integer(let arrived)? = first["data"]?["received"] else {
            throw NeverHappened()
        }
        #expect(first["data"]?["lost"] == nil)
        kept.removeAll { $0.number <= arrived }
        for message in kept { try await socket.send(message.text) }
    }

    func responses(to id: Int64) -> [JSONValue] {
        messages.filter { $0["response"] == .bool(true) && $0["id"] == .integer(id) }
    }

    func close() async throws { try await socket.close() }
    func closeCode() async throws -> Int? { try await socket.closeFrame().closeCode }
}
