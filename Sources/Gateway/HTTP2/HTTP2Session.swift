import CNGHTTP2
import HTTPTypes
import NIOCore

/// The server's side of one HTTP/2 connection: bytes and events in both directions, no socket and no clock.
///
/// A wrapper of libnghttp2, which keeps the rules of RFC 9113 and RFC 7541: framing, stream states, windows, HPACK and
/// the form of messages. What it does not judge, because honest clients do it too, is how much and how often; that is
/// done here. Belongs to one event loop.
// Safe: libnghttp2 calls back only inside `receive`, `send` and `deinit`, on the caller's thread, with the pointers of
// that call. `user_data` is this object unretained: the session that holds it is freed in `deinit`.
final class HTTP2Session {
    private var session: OpaquePointer?
    private let limits: HTTP2Limits
    private var streams: [Int32: HTTP2Stream] = [:]
    private var events: [HTTP2Event] = []
    private var written: [EventLoopPromise<Void>] = []
    private var abandoned: [EventLoopPromise<Void>] = []
    private var flood = HTTP2FloodGuard()
    private var continuations = 0
    /// The highest number that the client has opened a stream by, and those below it that it has left out.
    private var lastOpened: Int32 = -1
    private var leftOut: [ClosedRange<Int32>] = []
    private var now = NIODeadline.uptimeNanoseconds(0)
    /// What ended the connection, once something did.
    private(set) var violation: HTTP2Violation?

    /// - Returns: `nil` when there is no memory for it.
    init?(limits: HTTP2Limits = HTTP2Limits()) {
        self.limits = limits
        var callbacks: OpaquePointer?
        var option: OpaquePointer?
        guard nghttp2_session_callbacks_new(&callbacks) == 0 else { return nil }
        defer { nghttp2_session_callbacks_del(callbacks) }
        guard nghttp2_option_new(&option) == 0 else { return nil }
        defer { nghttp2_option_del(option) }
        // Windows open again when bytes were used, not when they arrived.
        nghttp2_option_set_no_auto_window_update(option, 1)
        HTTP2Callbacks.install(in: callbacks)
        guard
            nghttp2_session_server_new2(&session, callbacks, Unmanaged.passUnretained(self).toOpaque(), option) == 0
        else { return nil }
        let settings = [
            nghttp2_settings_entry(
                settings_id: Int32(NGHTTP2_SETTINGS_MAX_CONCURRENT_STREAMS.rawValue), value: limits.streams),
            nghttp2_settings_entry(
                settings_id: Int32(NGHTTP2_SETTINGS_INITIAL_WINDOW_SIZE.rawValue), value: limits.window),
            nghttp2_settings_entry(
                settings_id: Int32(NGHTTP2_SETTINGS_MAX_HEADER_LIST_SIZE.rawValue),
                value: UInt32(clamping: limits.headerBytes)),
            // WebSocket over HTTP/2 (RFC 8441 §3).
            nghttp2_settings_entry(
                settings_id: Int32(NGHTTP2_SETTINGS_ENABLE_CONNECT_PROTOCOL.rawValue), value: 1),
        ]
        guard nghttp2_submit_settings(session, UInt8(NGHTTP2_FLAG_NONE.rawValue), settings, settings.count) == 0 else {
            return nil
        }
    }

    deinit { nghttp2_session_del(session) }

    // MARK: Bytes

    /// Takes what the client sent; `takeEvents` returns what it means.
    /// - Throws: what ends the connection; a GOAWAY for it then waits in `send`.
    func receive(_ bytes: ByteBuffer, now: NIODeadline) throws(HTTP2Violation) {
        self.now = now
        if let violation { throw violation }
        let result = bytes.withUnsafeReadableBytes {
            nghttp2_session_mem_recv(session, $0.bindMemory(to: UInt8.self).baseAddress, $0.count)
        }
        // Whatever is fatal to libnghttp2 leaves it without a GOAWAY of its own.
        if result < 0 { fail(Self.kind(of: result), NGHTTP2_PROTOCOL_ERROR) }
        if let violation { throw violation }
    }

    /// What happened since the last call, in order; sending makes events too, of streams that end with it.
    func takeEvents() -> [HTTP2Event] {
        defer { events = [] }
        return events
    }

    /// Writes up to about `limit` bytes to the client into `buffer`.
    /// - Returns: whether there may be more.
    func send(into buffer: inout ByteBuffer, limit: Int) -> Bool {
        while buffer.readableBytes < limit {
            var bytes: UnsafePointer<UInt8>?
            let count = nghttp2_session_mem_send(session, &bytes)
            guard count > 0, let bytes else {
                if count < 0 { fail(.protocolError, NGHTTP2_INTERNAL_ERROR) }
                return false
            }
            buffer.writeBytes(UnsafeRawBufferPointer(start: bytes, count: count))
        }
        return true
    }

    /// The promises of written bytes that `send` has taken, and of those that never will be, since the last call.
    func takePromises() -> (written: [EventLoopPromise<Void>], abandoned: [EventLoopPromise<Void>]) {
        defer {
            written = []
            abandoned = []
        }
        return (written, abandoned)
    }

    /// The connection is gone: nothing that waits will be sent.
    func abandonStreams() {
        for id in Array(streams.keys) { abandoned += streams[id]?.abandon() ?? [] }
    }

    /// libnghttp2 has nothing more to read or to write.
    var isFinished: Bool {
        nghttp2_session_want_read(session) == 0 && nghttp2_session_want_write(session) == 0
    }

    // MARK: Streams

    /// Sends a response's head; unless `isEnd`, `write` and `finish` follow.
    func respond(_ stream: Int32, _ response: HTTPResponse, isEnd: Bool) {
        var fields = HTTP2Fields()
        fields.add(":status", String(response.status.code))
        for field in response.headerFields { fields.add(field.name.canonicalName, field.value) }
        fields.withNameValues { values in
            var provider = nghttp2_data_provider()
            provider.read_callback = HTTP2Callbacks.readData
            let result =
                if isEnd {
                    nghttp2_submit_response(session, stream, values.baseAddress, values.count, nil)
                } else {
                    nghttp2_submit_response(session, stream, values.baseAddress, values.count, &provider)
                }
            if result != 0 { reset(stream, NGHTTP2_INTERNAL_ERROR) }
        }
    }

    /// The client may send the body that it has waited with (RFC 9110 §10.1.1).
    func proceed(_ stream: Int32) {
        var fields = HTTP2Fields()
        fields.add(":status", "100")
        fields.withNameValues { values in
            _ = nghttp2_submit_headers(
                session, UInt8(NGHTTP2_FLAG_NONE.rawValue), stream, nil, values.baseAddress, values.count, nil)
        }
    }

    func write(_ stream: Int32, _ bytes: ByteBuffer, written promise: EventLoopPromise<Void>? = nil) {
        guard streams[stream]?.isFinished == false else {
            if let promise { abandoned.append(promise) }
            return
        }
        streams[stream]?.append(bytes, written: promise)
        nghttp2_session_resume_data(session, stream)
    }

    func finish(_ stream: Int32) {
        guard streams[stream]?.isFinished == false else { return }
        streams[stream]?.isFinished = true
        nghttp2_session_resume_data(session, stream)
    }

    private func reset(_ stream: Int32, _ code: nghttp2_error_code) {
        nghttp2_submit_rst_stream(session, UInt8(NGHTTP2_FLAG_NONE.rawValue), stream, code.rawValue)
    }

    /// Whether all of a response is out while the client still sends.
    func isAnswered(_ stream: Int32) -> Bool { streams[stream]?.isAnswered ?? false }

    /// What else the client would send for a request that is answered is not wanted (RFC 9113 §8.1).
    func stopSending(_ stream: Int32) { reset(stream, NGHTTP2_NO_ERROR) }

    func cancel(_ stream: Int32) { reset(stream, NGHTTP2_CANCEL) }

    /// Nothing was done for this request: the client may repeat it (RFC 9113 §8.7).
    func refuse(_ stream: Int32) { reset(stream, NGHTTP2_REFUSED_STREAM) }

    /// Gives a stream's window back what a `body` event took from it.
    func consumed(_ stream: Int32, bytes: Int) { nghttp2_session_consume_stream(session, stream, bytes) }

    // MARK: The end

    /// Asks the client to open no more streams; those it opened meanwhile are served (RFC 9113 §6.8).
    func announceShutdown() { nghttp2_submit_shutdown_notice(session) }

    /// Takes no stream beyond those already open.
    func goAway() {
        nghttp2_submit_goaway(
            session, UInt8(NGHTTP2_FLAG_NONE.rawValue), nghttp2_session_get_last_proc_stream_id(session),
            NGHTTP2_NO_ERROR.rawValue, nil, 0)
    }

    private func fail(_ kind: HTTP2Violation.Kind, _ code: nghttp2_error_code) {
        guard violation == nil else { return }
        violation = HTTP2Violation(kind: kind)
        nghttp2_session_terminate_session(session, code.rawValue)
    }

    private static func kind(of result: Int) -> HTTP2Violation.Kind {
        // Some versions stop a head of many frames themselves; the code's name is not in every version's header.
        switch result {
        case -905: .continuationFlood
        case Int(NGHTTP2_ERR_FLOODED.rawValue): .controlFlood
        default: .protocolError
        }
    }

    // MARK: What libnghttp2 reports

    private func act(_ act: HTTP2FloodGuard.Act) {
        guard !flood.allows(act, now: now) else { return }
        fail(act == .reset ? .rapidReset : .controlFlood, NGHTTP2_ENHANCE_YOUR_CALM)
    }

    /// Every frame's head, CONTINUATION's too.
    func frameBegan(_ header: nghttp2_frame_hd) {
        switch UInt32(header.type) {
        case NGHTTP2_CONTINUATION.rawValue:
            continuations += 1
            if continuations > limits.continuations { fail(.continuationFlood, NGHTTP2_ENHANCE_YOUR_CALM) }
        case NGHTTP2_HEADERS.rawValue:
            continuations = 0
            if !isInOrder(header.stream_id) { fail(.protocolError, NGHTTP2_PROTOCOL_ERROR) }
        case NGHTTP2_DATA.rawValue:
            let isEmpty = header.length == 0 && header.flags & UInt8(NGHTTP2_FLAG_END_STREAM.rawValue) == 0
            if isEmpty { act(.control) }
        case NGHTTP2_RST_STREAM.rawValue: act(.reset)
        case NGHTTP2_WINDOW_UPDATE.rawValue: act(.windowUpdate)
        default: act(.control)
        }
    }

    /// Whether a stream that HEADERS open has a greater number than those before (RFC 9113 §5.1.1). Of a stream that was open once,
    /// they are its trailers, and libnghttp2's business.
    private func isInOrder(_ stream: Int32) -> Bool {
        guard stream > lastOpened else { return !leftOut.contains { $0.contains(stream) } }
        if stream > lastOpened &+ 2 { leftOut.append(lastOpened + 1...stream - 1) }
        if leftOut.count > 64 { leftOut.removeFirst() }
        lastOpened = stream
        return true
    }

    func headBegan(_ frame: nghttp2_frame) {
        let stream = frame.hd.stream_id
        if frame.headers.cat == NGHTTP2_HCAT_REQUEST { streams[stream] = HTTP2Stream() }
    }

    /// - Returns: `false` when the head is beyond all measure.
    func fieldReceived(_ stream: Int32, _ name: UnsafeRawBufferPointer, _ value: UnsafeRawBufferPointer) -> Bool {
        guard violation == nil, let known = streams[stream] else { return false }
        guard known.head.bytes &+ name.count &+ value.count <= 8 * limits.headerBytes else {
            fail(.headerBomb, NGHTTP2_ENHANCE_YOUR_CALM)
            return false
        }
        // Trailers are counted with the head, and nobody asks for them.
        streams[stream]?.fieldReceived(
            known.isAnnounced ? "trailer" : String(decoding: name, as: UTF8.self),
            String(decoding: value, as: UTF8.self), limits: limits)
        return true
    }

    func frameReceived(_ frame: nghttp2_frame) {
        let stream = frame.hd.stream_id
        let isEnd = frame.hd.flags & UInt8(NGHTTP2_FLAG_END_STREAM.rawValue) != 0
        switch UInt32(frame.hd.type) {
        case NGHTTP2_HEADERS.rawValue:
            guard let known = streams[stream] else { return }
            if known.isAnnounced {
                if isEnd { events.append(.end(stream)) }
                return
            }
            streams[stream]?.isAnnounced = true
            if let request = known.head.request {
                events.append(.request(stream, request, isEnd: isEnd))
            } else {
                events.append(.badHead(stream, known.head.problem ?? .invalid))
            }
        case NGHTTP2_DATA.rawValue: if isEnd { events.append(.end(stream)) }
        default: break
        }
    }

    func dataReceived(_ stream: Int32, _ bytes: UnsafeRawBufferPointer) {
        // The connection's window is given back at once: what may wait is bounded by the streams' windows, and a stream
        // that is not read must not stop the others.
        nghttp2_session_consume_connection(session, bytes.count)
        guard streams[stream] != nil, violation == nil else { return }
        events.append(.body(stream, ByteBuffer(bytes: bytes)))
    }

    func frameSent(_ frame: nghttp2_frame) {
        switch UInt32(frame.hd.type) {
        case NGHTTP2_HEADERS.rawValue, NGHTTP2_DATA.rawValue:
            if frame.hd.flags & UInt8(NGHTTP2_FLAG_END_STREAM.rawValue) != 0 {
                streams[frame.hd.stream_id]?.isAnswered = true
            }
        case NGHTTP2_RST_STREAM.rawValue:
            // A client that provokes resets wastes as much as one that sends them.
            let code = frame.rst_stream.error_code
            if code == NGHTTP2_PROTOCOL_ERROR.rawValue || code == NGHTTP2_FLOW_CONTROL_ERROR.rawValue
                || code == NGHTTP2_STREAM_CLOSED.rawValue || code == NGHTTP2_FRAME_SIZE_ERROR.rawValue
            {
                act(.reset)
            }
        case NGHTTP2_GOAWAY.rawValue where frame.goaway.error_code != NGHTTP2_NO_ERROR.rawValue:
            if violation == nil { violation = HTTP2Violation(kind: .protocolError) }
        default: break
        }
    }

    func streamClosed(_ stream: Int32, code: UInt32) {
        guard var known = streams.removeValue(forKey: stream) else { return }
        abandoned += known.abandon()
        if known.isAnnounced { events.append(.closed(stream, code: code)) }
    }

    /// - Returns: the bytes copied; 0 without `isEnd` means that nothing waits.
    func readData(_ stream: Int32, into target: UnsafeMutableRawBufferPointer) -> (count: Int, isEnd: Bool) {
        guard streams[stream] != nil else { return (0, true) }
        let count = streams[stream]?.take(into: target, written: &written) ?? 0
        let isEnd = streams[stream].map { $0.isFinished && !$0.hasOutgoing } ?? true
        return (count, isEnd)
    }
}
