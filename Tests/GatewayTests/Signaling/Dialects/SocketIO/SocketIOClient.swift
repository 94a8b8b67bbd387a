import NIOCore
import RoundhouseRooms
import Testing

@testable import RoundhouseGateway

/// A Socket.IO client that polls, or has a WebSocket, or goes from the one to the other.
final class SocketIOClient {
    struct Ended: Error {}
    struct Refused: Error { var response: RawResponse }

    let port: Int
    private(set) var name = ""
    private(set) var id = ""
    private var getting: RawClient
    private var posting: RawClient
    private var socket: WebSocketClient?
    private var isPollOut = false
    private var inbox: [String] = []
    private var lastID: UInt64 = 0
    /// Events that arrived while something else was waited for, and not yet taken.
    private(set) var events: [(name: String, argument: JSONValue?)] = []

    private init(port: Int) async throws {
        self.port = port
        getting = try await RawClient.connect(port: port)
        posting = try await RawClient.connect(port: port)
    }

    /// Opens a session by polling and connects to the main namespace.
    static func open(port: Int) async throws -> SocketIOClient {
        let client = try await SocketIOClient(port: port)
        let opening = try await client.get("")
        guard opening.status == 200, let packet = opening.body.first, packet == "0" else {
            throw Refused(response: opening)
        }
        let description = try JSONValue(parsing: String(opening.body.dropFirst()))
        guard case .string(let name)? = description["sid"] else { throw Ended() }
        client.name = name
        // A WebSocket has to be its connection's first request, so the server ends this one.
        #expect(opening.fields["connection"] == "close")
        await client.getting.close()
        client.getting = try await RawClient.connect(port: port)
        try await client.connect()
        return client
    }

    static func openSocket(port: Int) async throws -> SocketIOClient {
        let client = try await SocketIOClient(port: port)
        client.socket = try await WebSocketClient.open(
            port: port, target: "/socket.io/?EIO=4&transport=websocket", subprotocol: nil)
        let opening = try await client.nextPacket()
        guard opening.first == "0" else { throw Ended() }
        try await client.connect()
        return client
    }

    private func connect() async throws {
        try await send("40")
        let packet = try await nextPacket()
        guard packet.hasPrefix("40"), case .string(let id)? = try JSONValue(parsing: String(packet.dropFirst(2)))["sid"]
        else { throw Ended() }
        self.id = id
    }

    /// Takes a WebSocket as socket.io-client does: probe, last poll, upgrade.
    func upgrade() async throws {
        let socket = try await WebSocketClient.open(
            port: port, target: "/socket.io/?EIO=4&transport=websocket&sid=\(name)", subprotocol: nil)
        try await socket.send("2probe")
        #expect(try await socket.nextFrame().text == "3probe")
        // Whatever poll is out ends, with what was to be said or nothing.
        if isPollOut { try await receivePoll() }
        inbox.removeAll { $0 == "6" }
        try await socket.send("5")
        self.socket = socket
    }

    // MARK: HTTP

    private func target(_ session: String) -> String {
        "/socket.io/?EIO=4&transport=polling" + (session.isEmpty ? "" : "&sid=\(session)")
    }

    func get(_ session: String) async throws -> RawResponse {
        try await getting.send("GET \(target(session)) HTTP/1.1\r\nHost: x\r\n\r\n")
        return try await getting.readResponse()
    }

    func post(_ body: String) async throws -> RawResponse {
        try await posting.send(
            "POST \(target(name)) HTTP/1.1\r\nHost: x\r\nContent-Length: \(body.utf8.count)\r\n\r\n\(body)")
        return try await posting.readResponse()
    }

    private func receivePoll() async throws {
        let response = try await getting.readResponse()
        isPollOut = false
        guard response.status == 200 else { throw Refused(response: response) }
        inbox += response.body.split(separator: "\u{1e}").map(String.init)
    }

    /// Sends a poll and does not wait for its answer.
    func startPoll() async throws {
        guard !isPollOut else { return }
        isPollOut = true
        try await getting.send("GET \(target(name)) HTTP/1.1\r\nHost: x\r\n\r\n")
    }

    // MARK: Packets

    func send(_ packet: String) async throws {
        if let socket { return try await socket.send(packet) }
        let response = try await post(packet)
        guard response.status == 200, response.body == "ok" else { throw Refused(response: response) }
    }

    func nextPacket() async throws -> String {
        while inbox.isEmpty {
            if let socket {
                let frame = try await socket.nextFrame()
                guard frame.opcode == 1 else { throw Ended() }
                inbox.append(frame.text)
            } else {
                try await startPoll()
                try await receivePoll()
            }
        }
        return inbox.removeFirst()
    }

    private func nextMessage() async throws -> SocketIOPacket {
        while true {
            let packet = try await nextPacket()
            switch packet.first {
            case "4": return try SocketIOPacket(parsing: String(packet.dropFirst()))
            case "2": try await send("3")
            case "1": throw Ended()
            default: break
            }
        }
    }

    // MARK: Events

    /// Emits an event with an acknowledgement and waits for it.
    @discardableResult
    func ask(_ name: String, _ data: JSONValue = .object([:])) async throws -> JSONValue {
        lastID += 1
        let id = lastID
        try await send("4" + SocketIOPacket.event(name, [data], id: id).text)
        while true {
            let packet = try await nextMessage()
            if packet.kind == .ack, packet.id == id, case .array(let values) = packet.data {
                return values.first ?? .null
            }
            note(packet)
        }
    }

    /// Emits an event without an acknowledgement.
    func tell(_ name: String, _ data: JSONValue = .object([:])) async throws {
        try await send("4" + SocketIOPacket.event(name, [data]).text)
    }

    private func note(_ packet: SocketIOPacket) {
        guard case .array(let values) = packet.data, case .string(let name)? = values.first else { return }
        events.append((name, values.count > 1 ? values[1] : nil))
    }

    /// The next event of this name, from those that came or the wire.
    func event(_ name: String) async throws -> JSONValue {
        while true {
            if let index = events.firstIndex(where: { $0.name == name }) {
                return events.remove(at: index).argument ?? .null
            }
            let packet = try await nextMessage()
            if packet.kind == .disconnect { throw Ended() }
            note(packet)
        }
    }

    /// Reads until the server's DISCONNECT.
    func disconnected() async throws {
        while try await nextMessage().kind != .disconnect {}
    }

    func close() async throws {
        if let socket { try await socket.close() } else { _ = try await post("1") }
        await getting.close()
        await posting.close()
    }
}
