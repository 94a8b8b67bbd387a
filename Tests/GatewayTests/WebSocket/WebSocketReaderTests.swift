import NIOCore
import NIOWebSocket
import Testing

@testable import RoundhouseGateway

@Suite struct WebSocketReaderTests {
    private func frame(
        _ opcode: WebSocketOpcode, _ payload: [UInt8] = [], isFinal: Bool = true, isMasked: Bool = true
    ) -> WebSocketFrame {
        let key: WebSocketMaskingKey = [1, 2, 3, 4]
        var data = ByteBuffer(bytes: payload)
        if isMasked { data.webSocketMask(key) }
        return WebSocketFrame(fin: isFinal, opcode: opcode, maskKey: isMasked ? key : nil, data: data)
    }

    private func isFailure(_ action: WebSocketReader.Action, _ code: WebSocketCloseCode) -> Bool {
        if case .fail(code, _) = action { true } else { false }
    }

    @Test func `fragments make one message, with a ping between them answered`() {
        var reader = WebSocketReader(messageLimit: 100)
        #expect(reader.frameReceived(frame(.text, Array("he".utf8), isFinal: false)) == .none)
        #expect(reader.frameReceived(frame(.ping, [7])) == .pong(ByteBuffer(bytes: [7])))
        #expect(reader.frameReceived(frame(.continuation, Array("ll".utf8), isFinal: false)) == .none)
        #expect(reader.frameReceived(frame(.continuation, Array("o".utf8))) == .message("hello"))
        #expect(reader.frameReceived(frame(.text, Array("next".utf8))) == .message("next"))
    }

    @Test func `a character cut by a fragment boundary is whole again`() {
        var reader = WebSocketReader(messageLimit: 100)
        let bytes = Array("é".utf8)
        #expect(reader.frameReceived(frame(.text, [bytes[0]], isFinal: false)) == .none)
        #expect(reader.frameReceived(frame(.continuation, [bytes[1]])) == .message("é"))
    }

    @Test func `a message of exactly the limit passes and one byte more does not`() {
        var reader = WebSocketReader(messageLimit: 4)
        #expect(reader.frameReceived(frame(.text, Array("four".utf8))) == .message("four"))
        #expect(isFailure(reader.frameReceived(frame(.text, Array("five5".utf8))), .messageTooLarge))
    }

    @Test func `the limit counts all fragments of a message`() {
        var reader = WebSocketReader(messageLimit: 4)
        #expect(reader.frameReceived(frame(.text, Array("abc".utf8), isFinal: false)) == .none)
        #expect(isFailure(reader.frameReceived(frame(.continuation, Array("de".utf8))), .messageTooLarge))
    }

    @Test func `text that is not UTF-8 closes with 1007`() {
        var reader = WebSocketReader(messageLimit: 100)
        #expect(isFailure(reader.frameReceived(frame(.text, [0xC3, 0x28])), .invalidData))
    }

    @Test func `binary closes with 1003`() {
        var reader = WebSocketReader(messageLimit: 100)
        #expect(isFailure(reader.frameReceived(frame(.binary, [1])), .unacceptableData))
    }

    @Test func `breaches of the framing close with 1002`() {
        var frames = [
            frame(.text, [65], isMasked: false), frame(.continuation, [65]),
            frame(WebSocketOpcode(encodedWebSocketOpcode: 3)!),
            frame(.connectionClose, [3]), frame(.connectionClose, [0x03, 0xED]), frame(.connectionClose, [0, 0]),
        ]
        var reserved = frame(.text, [65])
        reserved.rsv1 = true
        frames.append(reserved)
        for frame in frames {
            var reader = WebSocketReader(messageLimit: 100)
            #expect(isFailure(reader.frameReceived(frame), .protocolError), "\(frame)")
        }
        var reader = WebSocketReader(messageLimit: 100)
        #expect(reader.frameReceived(frame(.text, [65], isFinal: false)) == .none)
        #expect(isFailure(reader.frameReceived(frame(.text, [65])), .protocolError))
    }

    @Test func `a close is answered with its code, and nothing is read after it`() {
        var reader = WebSocketReader(messageLimit: 100)
        #expect(
            reader.frameReceived(frame(.connectionClose, [0x0F, 0xA1] + Array("bye".utf8)))
                == .close(.init(rawValue: 4001)))
        #expect(reader.frameReceived(frame(.text, [65])) == .none)
        var bare = WebSocketReader(messageLimit: 100)
        #expect(bare.frameReceived(frame(.connectionClose)) == .close(.noStatus))
        var garbled = WebSocketReader(messageLimit: 100)
        #expect(isFailure(garbled.frameReceived(frame(.connectionClose, [0x03, 0xE8, 0xFF])), .invalidData))
    }
}
