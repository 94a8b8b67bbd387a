import HTTPTypes
import NIOCore
import NIOEmbedded
import NIOWebSocket
import RoundhouseMedia

@testable import RoundhouseGateway
@testable import RoundhouseRooms

// Safe: the bytes live for the call, and what is kept of them is copied.

/// What clients say: JSON, requests, session descriptions, and the protocols that carry them.
enum SignalingTargets {
    static func runJSON(_ bytes: UnsafeRawBufferPointer) {
        guard let value = try? JSONValue(parsing: Array(bytes)) else { return }
        let text = value.text
        // What was read is written so that it is read again, and written as before.
        guard let again = try? JSONValue(parsing: Array(text.utf8)) else { preconditionFailure("cannot read: \(text)") }
        precondition(again.text == text)
    }

    /// A request of every vocabulary, and what is in it.
    static func runRequest(_ bytes: UnsafeRawBufferPointer) {
        guard let value = try? JSONValue(parsing: Array(bytes)) else { return }
        _ = try? RTPCapabilities(JSONReader(value))
        guard case .object(let fields) = value, case .string(let method)? = fields["method"] else { return }
        let data = fields["data"] ?? .null
        _ = try? SignalingRequest(method: method, data: data)
        _ = try? ProtooDialect().request(method, data)
        _ = try? ProtooDialect(vocabulary: Protoo2026()).request(method, data)
        _ = try? SocketIOEvent(method, data)
    }

    private static let capabilities = try? ORTC.routerCapabilities(mediaCodecs: RoomConfiguration().mediaCodecs)

    static func runSDP(_ bytes: UnsafeRawBufferPointer) {
        _ = try? ICEFragment(parsing: Array(bytes))
        guard let session = try? SessionDescription(parsing: Array(bytes)), let offer = try? SDPOffer(session) else {
            return
        }
        guard let router = capabilities else { return }
        for media in offer.media { _ = media.producerParameters(for: router) }
    }

    static func runTarget(_ bytes: UnsafeRawBufferPointer) {
        let text = String(decoding: bytes, as: UTF8.self)
        guard let target = RequestTarget(text) else { return }
        _ = Endpoint(target.path, hasFile: { _ in false })
        _ = EngineRequest.read(target)
        var request = HTTPRequest(method: .get, scheme: "http", authority: "h", path: text)
        request.headerFields[.upgrade] = "websocket"
        request.headerFields[.connection] = "Upgrade"
        request.headerFields[.secWebSocketVersion] = "13"
        request.headerFields[.secWebSocketKey] = "dGhlIHNhbXBsZSBub25jZQ=="
        request.headerFields[.secWebSocketProtocol] = "protoo"
        _ = SignalingHandshake.validate(request)
    }

    /// A payload of Engine.IO, and its messages as packets of Socket.IO.
    static func runEngine(_ bytes: UnsafeRawBufferPointer) {
        guard let packets = try? EnginePayload.packets(in: Array(bytes)) else { return }
        precondition(EnginePayload.bytes(of: packets) == Array(bytes))
        for packet in packets where packet.kind == .message {
            guard let inner = try? SocketIOPacket(parsing: packet.data) else { continue }
            _ = inner.event
            guard let again = try? SocketIOPacket(parsing: inner.text) else { preconditionFailure(inner.text) }
            precondition(again.text == inner.text)
        }
    }

    /// Frames in pieces, as a connection brings them.
    static func runWebSocket(_ bytes: UnsafeRawBufferPointer) {
        var script = Script(bytes)
        var reader = WebSocketReader(messageLimit: 512)
        let channel = EmbeddedChannel(handler: ByteToMessageHandler(WebSocketFrameDecoder(maxFrameSize: 512)))
        defer { _ = try? channel.finish(acceptAlreadyClosed: true) }
        while let length = script.next() {
            var piece = ByteBuffer()
            for _ in 0..<length { if let byte = script.next() { piece.writeInteger(byte) } }
            guard (try? channel.writeInbound(piece)) != nil else { return }
            while let frame = (try? channel.readInbound(as: WebSocketFrame.self)) ?? nil {
                switch reader.frameReceived(frame) {
                case .message(let text): precondition(text.utf8.count <= 512)
                case .close, .fail: return
                case .none, .pong: break
                }
            }
        }
    }

    /// What follows HTTP/2's preface; every request is answered.
    static func runHTTP2(_ bytes: UnsafeRawBufferPointer) {
        guard let session = HTTP2Session() else { return }
        defer { session.abandonStreams() }
        var script = Script(bytes)
        var now = NIODeadline.uptimeNanoseconds(1_000_000_000)
        var piece = ByteBuffer(string: "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n")
        piece.writeBytes([0, 0, 0, 4, 0, 0, 0, 0, 0])
        while piece.readableBytes > 0 {
            do { try session.receive(piece, now: now) } catch { return }
            for event in session.takeEvents() {
                switch event {
                case .request(let stream, _, let isEnd):
                    if isEnd { session.respond(stream, HTTPResponse(status: .ok), isEnd: true) }
                case .badHead(let stream, _): session.respond(stream, HTTPResponse(status: .badRequest), isEnd: true)
                case .body(let stream, let part): session.consumed(stream, bytes: part.readableBytes)
                case .end(let stream):
                    if !session.isAnswered(stream) { session.respond(stream, HTTPResponse(status: .ok), isEnd: true) }
                case .closed: break
                }
            }
            var out = ByteBuffer()
            _ = session.send(into: &out, limit: 1 << 16)
            now = now + .milliseconds(1)
            piece = ByteBuffer(bytes: script.bytes())
        }
    }

    /// A token, which nobody signed.
    static func runToken(_ bytes: UnsafeRawBufferPointer) {
        guard let key = try? AccessKey("k1:0123456789abcdef0123456789abcdef") else { return }
        let text = String(decoding: bytes, as: UTF8.self)
        precondition((try? TokenVerifier([key]).verify(Secret(text), now: 1_700_000_000)) == nil)
        _ = try? AccessKey.keys(inFile: text)
    }
}
