// Safe: the buffer is read through the codecs' parsers, which check every bound, while the caller keeps it alive.

/// Whether a packet starts a key frame, from which a decoder can begin.
///
/// - Parameter payload: the RTP payload in the clear, without padding.
/// - Returns: `false` for a codec without key frames, and for a payload that makes no sense.
func isKeyFrame(codec: CodecKind, payload: UnsafeRawBufferPointer) -> Bool {
    switch codec {
    case .vp8: unsafe (try? VP8Descriptor(parsing: payload))?.isKeyFrame ?? false
    case .vp9: unsafe (try? VP9Descriptor(parsing: payload))?.isKeyFrame ?? false
    case .h264: unsafe H264Payload.isKeyFrame(payload)
    case .h265: unsafe H265Payload.isKeyFrame(payload)
    case .av1: unsafe AV1Payload.isKeyFrame(payload)
    case .opus, .other: false
    }
}
