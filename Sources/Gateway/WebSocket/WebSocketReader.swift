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

/// The status code of a close frame (RFC 6455 §7.4).
struct WebSocketCloseCode: RawRepresentable, Hashable, Sendable {
    let rawValue: UInt16

    static let normal = WebSocketCloseCode(rawValue: 1000)
    static let goingAway = WebSocketCloseCode(rawValue: 1001)
    static let protocolError = WebSocketCloseCode(rawValue: 1002)
    static let unacceptableData = WebSocketCloseCode(rawValue: 1003)
    /// Never sent: a close frame without a code.
    static let noStatus = WebSocketCloseCode(rawValue: 1005)
    /// Never sent: the connection ended without a close frame.
    static let abnormal = WebSocketCloseCode(rawValue: 1006)
    static let invalidData = WebSocketCloseCode(rawValue: 1007)
    static let policyViolation = WebSocketCloseCode(rawValue: 1008)
    static let messageTooLarge = WebSocketCloseCode(rawValue: 1009)
    static let internalError = WebSocketCloseCode(rawValue: 1011)
    /// IANA's registry of close codes.
    static let tryAgainLater = WebSocketCloseCode(rawValue: 1013)
    /// protoo's code for "the server closed this peer": its client does not reconnect after it.
    static let closedByServer = WebSocketCloseCode(rawValue: 4000)
    /// The session that a client came back for is over: it begins a new one.
    static let sessionOver = WebSocketCloseCode(rawValue: 4001)
    /// A client's own: it gives up this connection and will be back by another.
    static let willBeBack = WebSocketCloseCode(rawValue: 4002)

    /// The codes an endpoint may put into a close frame (RFC 6455 §7.4.1, §7.4.2 and IANA's registry).
    static func isSendable(_ code: UInt16) -> Bool {
        switch code {
        case 1000...1003, 1007...1014, 3000...4999: true
        default: false
        }
    }
}
