import CNGHTTP2

/// The C functions through which libnghttp2 reports to its `HTTP2Session`.
// Safe: `user_data` is the `HTTP2Session` that made the call in progress, alive for its length; frames, names and data
// are libnghttp2's, valid for the callback's length, and their lengths are its own.
enum HTTP2Callbacks {
    static func install(in callbacks: OpaquePointer?) {
        nghttp2_session_callbacks_set_on_begin_frame_callback(callbacks) { _, header, user in
            if let header { HTTP2Callbacks.session(user)?.frameBegan(header.pointee) }
            return 0
        }
        nghttp2_session_callbacks_set_on_begin_headers_callback(callbacks) { _, frame, user in
            if let frame { HTTP2Callbacks.session(user)?.headBegan(frame.pointee) }
            return 0
        }
        nghttp2_session_callbacks_set_on_header_callback(callbacks) {
            _, frame, name, nameLength, value, valueLength, _, user in
            guard let frame, let session = HTTP2Callbacks.session(user) else { return 0 }
            let isTaken = session.fieldReceived(
                frame.pointee.hd.stream_id, UnsafeRawBufferPointer(start: name, count: nameLength),
                UnsafeRawBufferPointer(start: value, count: valueLength))
            // Resets the stream; the rest of the head is unpacked, as HPACK's state needs, and thrown away.
            return isTaken ? 0 : NGHTTP2_ERR_TEMPORAL_CALLBACK_FAILURE.rawValue
        }
        nghttp2_session_callbacks_set_on_frame_recv_callback(callbacks) { _, frame, user in
            if let frame { HTTP2Callbacks.session(user)?.frameReceived(frame.pointee) }
            return 0
        }
        nghttp2_session_callbacks_set_on_data_chunk_recv_callback(callbacks) { _, _, stream, data, length, user in
            HTTP2Callbacks.session(user)?.dataReceived(stream, UnsafeRawBufferPointer(start: data, count: length))
            return 0
        }
        nghttp2_session_callbacks_set_on_frame_send_callback(callbacks) { _, frame, user in
            if let frame { HTTP2Callbacks.session(user)?.frameSent(frame.pointee) }
            return 0
        }
        nghttp2_session_callbacks_set_on_stream_close_callback(callbacks) { _, stream, code, user in
            HTTP2Callbacks.session(user)?.streamClosed(stream, code: code)
            return 0
        }
    }

    static let readData: nghttp2_data_source_read_callback = { _, stream, buffer, length, flags, _, user in
        guard let session = HTTP2Callbacks.session(user) else { return 0 }
        let (count, isEnd) = session.readData(
            stream, into: UnsafeMutableRawBufferPointer(start: buffer, count: length))
        if isEnd { flags?.pointee |= NGHTTP2_DATA_FLAG_EOF.rawValue }
        return count == 0 && !isEnd ? Int(NGHTTP2_ERR_DEFERRED.rawValue) : count
    }

    private static func session(_ user: UnsafeMutableRawPointer?) -> HTTP2Session? {
        user.map { Unmanaged<HTTP2Session>.fromOpaque($0).takeUnretainedValue() }
    }
}
