import NIOCore
import RoundhouseRooms
import Testing

/// A WebSocket client that may break RFC 6455 in any way.
final class WebSocketClient {
    struct Frame: Equatable {
        var opcode: UInt8
        var payload: [UInt8]
        var text: String { String(decoding: payload, as: UTF8.self) }
        /// Of a close frame.
        var closeCode: Int? { payload.count < 2 ? nil : Int(payload[0]) << 8 | Int(payload[1]) }
    }

    struct Refused: Error { var response: RawResponse }

    let raw: RawClient
    private var lastID: Int64 = 0
    /// Messages that arrived while something else was waited for.
    var backlog: [JSONValue] = []

    private init(raw: RawClient) { self.raw = raw }

    static func request(target: String, fields: [String: String?] = [:]) -> String {
        var all: [String: String] = [
            "Host": "localhost", "Connection": "Upgrade", "Upgrade": "websocket", "Sec-WebSocket-Version": "13",
            "Sec-WebSocket-Key": "dGhlIHNhbXBsZSBub25jZQ==", "Sec-WebSocket-Protocol": "protoo",
        ]
        for (name, value) in fields { all[name] = value }
        return "GET \(target) HTTP/1.1\r\n" + all.map { "\($0.key): \($0.value)\r\n" }.joined() + "\r\n"
    }

    static func open(
        port: Int, target: String, subprotocol: String? = "protoo", reads: Bool = true
    ) async throws -> WebSocketClient {
        let raw = try await RawClient.connect(port: port, reads: reads)
        try await raw.send(request(target: target, fields: ["Sec-WebSocket-Protocol": subprotocol]))
        guard reads else { return WebSocketClient(raw: raw) }
        let response = try await raw.readResponse(isHeadOnly: true)
        guard response.status == 101 else { throw Refused(response: response) }
        // RFC 6455 §1.3's own example key.
        #expect(response.fields["sec-websocket-accept"] == "s3pPLMBiTxaQ9kYGzzhZRbK+xOo=")
        #expect(response.fields["sec-websocket-protocol"] == subprotocol)
        return WebSocketClient(raw: raw)
    }

    // MARK: Frames

    func sendFrame(
        _ opcode: UInt8, _ payload: [UInt8] = [], isFinal: Bool = true, isMasked: Bool = true, reserved: UInt8 = 0
    ) async throws {
        try await raw.send(
            Self.frame(opcode, payload, isFinal: isFinal, isMasked: isMasked, reserved: reserved))
    }

    static func frame(
        _ opcode: UInt8, _ payload: [UInt8], isFinal: Bool = true, isMasked: Bool = true, reserved: UInt8 = 0
    ) -> [UInt8] {
        var bytes = [(isFinal ? 0x80 : 0) | reserved << 4 | opcode]
        let mask: UInt8 = isMasked ? 0x80 : 0
        switch payload.count {
        case ..<126: bytes.append(mask | UInt8(payload.count))
        case ..<65536: bytes += [mask | 126, UInt8(payload.count >> 8), UInt8(payload.count & 255)]
        default:
            bytes.append(mask | 127)
            for shift in stride(from: 56, through: 0, by: -8) { bytes.append(UInt8(payload.count >> shift & 255)) }
        }
        guard isMasked else { return bytes + payload }
        let key: [UInt8] = [0x37, 0xFA, 0x21, 0x3D]
        bytes += key
        bytes += payload.enumerated().map { $0.element ^ key[$0.offset & 3] }
        return bytes
    }

    /// The server's next frame, pings left out unless asked for.
    func nextFrame(includingPings: Bool = false) async throws -> Frame {
        while true {
            let head = try await raw.take(2)
            #expect(head[0] & 0x70 == 0 && head[1] & 0x80 == 0, "no reserved bit, no mask from a server")
            var length = Int(head[1] & 0x7F)
            if length >= 126 {
                length = try await raw.take(length == 126 ? 2 : 8).reduce(0) { $0 << 8 | Int($1) }
            }
            let frame = Frame(opcode: head[0] & 15, payload: try await raw.take(length))
            if frame.opcode == 9, !includingPings {
                try await sendFrame(10, frame.payload)
            } else {
                return frame
            }
        }
    }

    /// Reads until the server's close frame.
    func closeFrame() async throws -> Frame {
        while true {
            let frame = try await nextFrame()
            if frame.opcode == 8 { return frame }
        }
    }

    /// Closes as a well-behaved client.
    func close(_ code: UInt16 = 1000) async throws {
        try await sendFrame(8, [UInt8(code >> 8), UInt8(code & 255)])
        _ = try await closeFrame()
        await raw.close()
    }

    // MARK: protoo

    func send(_ text: String) async throws { try await sendFrame(1, Array(text.utf8)) }

    func nextMessage() async throws -> JSONValue {
        let frame = try await nextFrame()
        guard frame.opcode == 1 else { throw UnexpectedFrame(frame: frame) }
        return try JSONValue(parsing: frame.payload)
    }

    struct UnexpectedFrame: Error { var frame: Frame }

    /// Sends a request and waits for its response; what comes before it goes to the backlog.
    func request(_ method: String, _ data: JSONValue = .object([:])) async throws -> JSONValue {
        lastID += 1
        try await send(
            JSONValue.object(["request": .bool(true), "id": .integer(lastID), "method": .string(method), "data": data])
                .text)
        return try await response(to: lastID)
    }

    func response(to id: Int64) async throws -> JSONValue {
        while true {
            let message = try await nextMessage()
            if message["response"] == .bool(true), message["id"] == .integer(id) { return message }
            backlog.append(message)
        }
    }

    /// The next notification of this method, from the backlog or the wire.
    func notification(_ method: String) async throws -> JSONValue {
        if let index = backlog.firstIndex(where: { $0["method"] == .string(method) }) {
            return backlog.remove(at: index)
        }
        while true {
            let message = try await nextMessage()
            if message["notification"] == .bool(true), message["method"] == .string(method) { return message }
            backlog.append(message)
        }
    }

    func join(_ name: String) async throws -> JSONValue {
        try await request("join", .object(["displayName": .string(name), "device": .object([:])]))
    }
}

extension JSONValue {
    subscript(name: String) -> JSONValue? {
        guard case .object(let fields) = self else { return nil }
        return fields[name]
    }
}
