import NIOCore
import NIOWebSocket

/// Puts a client's frames together into text messages and judges them by RFC 6455.
///
/// A machine: frames in, actions out.
struct WebSocketReader {
    enum Action: Equatable {
        case none
        case message(String)
        case pong(ByteBuffer)
        /// The client began, or answered, the closing handshake; the code is what to answer with.
        case close(WebSocketCloseCode)
        /// The client broke the protocol: close with this code.
        case fail(WebSocketCloseCode, String)
    }

    private enum State {
        case idle
        case fragmented(ByteBuffer)
        case closed
    }

    /// Bytes of one message, its fragments together.
    private let messageLimit: Int
    private var state = State.idle

    init(messageLimit: Int) { self.messageLimit = messageLimit }

    /// Bytes of a message whose end has not come.
    var unfinishedBytes: Int { if case .fragmented(let head) = state { head.readableBytes } else { 0 } }

    /// Reads no more, and keeps nothing.
    mutating func close() { state = .closed }

    mutating func frameReceived(_ frame: WebSocketFrame) -> Action {
        if case .closed = state { return .none }
        let action = act(on: frame)
        switch action {
        case .close, .fail: state = .closed
        case .none, .message, .pong: break
        }
        return action
    }

    private mutating func act(on frame: WebSocketFrame) -> Action {
        // No extension was negotiated, so the reserved bits are zero (§5.2), and a client masks (§5.1).
        guard !frame.rsv1, !frame.rsv2, !frame.rsv3 else { return .fail(.protocolError, "a reserved bit is set") }
        guard frame.maskKey != nil else { return .fail(.protocolError, "the frame is not masked") }
        switch frame.opcode {
        case .text: return dataReceived(frame, isContinuation: false)
        case .continuation: return dataReceived(frame, isContinuation: true)
        case .binary: return .fail(.unacceptableData, "messages are text")
        case .ping: return .pong(frame.unmaskedData)
        case .pong: return .none
        case .connectionClose: return closeReceived(frame.unmaskedData)
        default: return .fail(.protocolError, "unknown opcode")
        }
    }

    private mutating func dataReceived(_ frame: WebSocketFrame, isContinuation: Bool) -> Action {
        var message: ByteBuffer
        switch (state, isContinuation) {
        case (.idle, false): message = frame.unmaskedData
        case (.fragmented(let head), true):
            guard frame.length <= messageLimit - head.readableBytes else {
                return .fail(.messageTooLarge, "the message is longer than \(messageLimit) bytes")
            }
            // Emptied first: with one owner the append is in place, so many small fragments cost no copy each.
            state = .idle
            message = head
            var fragment = frame.unmaskedData
            message.writeBuffer(&fragment)
        case (.idle, true): return .fail(.protocolError, "a continuation without a beginning")
        case (.fragmented, false): return .fail(.protocolError, "a new message inside a fragmented one")
        case (.closed, _): return .none
        }
        guard message.readableBytes <= messageLimit else {
            return .fail(.messageTooLarge, "the message is longer than \(messageLimit) bytes")
        }
        guard frame.fin else {
            state = .fragmented(message)
            return .none
        }
        state = .idle
        guard let text = String(validating: message.readableBytesView, as: UTF8.self) else {
            return .fail(.invalidData, "the text is not UTF-8")
        }
        return .message(text)
    }

    private func closeReceived(_ payload: ByteBuffer) -> Action {
        var payload = payload
        guard payload.readableBytes > 0 else { return .close(.noStatus) }
        guard let raw = payload.readInteger(as: UInt16.self), WebSocketCloseCode.isSendable(raw) else {
            return .fail(.protocolError, "a close code that must not be sent")
        }
        guard String(validating: payload.readableBytesView, as: UTF8.self) != nil else {
            return .fail(.invalidData, "the close reason is not UTF-8")
        }
        return .close(WebSocketCloseCode(rawValue: raw))
    }
}
