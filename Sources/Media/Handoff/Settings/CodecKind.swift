/// A codec the media plane knows something about; `other` is forwarded untouched.
public enum CodecKind: UInt8, Sendable, Hashable {
    case opus, vp8, vp9, h264, h265, av1, other

    /// Whether decoding can start only at a key frame that the plane can recognize.
    public var hasKeyFrames: Bool {
        switch self {
        case .vp8, .vp9, .h264, .h265, .av1: true
        case .opus, .other: false
        }
    }
}
