/// A codec the media plane knows something about; `other` is forwarded untouched.
public enum CodecKind: Sendable, Hashable, CaseIterable {
    case opus, vp8, vp9, h264, h265, av1, other

    /// - Parameter mimeType: as `video/VP8`, in any case.
    public init(mimeType: String) {
        let mimeType = mimeType.lowercased()
        self = Self.allCases.first { $0.mimeType == mimeType } ?? .other
    }

    /// In lower case; `nil` for `other`.
    public var mimeType: String? {
        switch self {
        case .opus: "audio/opus"
        case .vp8: "video/vp8"
        case .vp9: "video/vp9"
        case .h264: "video/h264"
        case .h265: "video/h265"
        case .av1: "video/av1"
        case .other: nil
        }
    }

    /// Whether decoding can start only at a key frame that the plane can recognize.
    public var hasKeyFrames: Bool {
        switch self {
        case .vp8, .vp9, .h264, .h265, .av1: true
        case .opus, .other: false
        }
    }

    /// Whether one stream can carry several spatial layers (SVC).
    public var hasSpatialLayers: Bool {
        switch self {
        case .vp9, .av1: true
        case .opus, .vp8, .h264, .h265, .other: false
        }
    }

    /// The format parameters, 0 unless given, without whose agreement a stream of the codec cannot be decoded.
    public var decisiveParameters: [String] {
        switch self {
        case .vp9: ["profile-id"]
        case .h264: ["packetization-mode"]
        case .opus, .vp8, .h265, .av1, .other: []
        }
    }

    /// What messages and snapshots call it. Never changes its meaning between versions.
    var wireNumber: UInt8 {
        switch self {
        case .other: 0
        case .opus: 1
        case .vp8: 2
        case .vp9: 3
        case .h264: 4
        case .h265: 5
        case .av1: 6
        }
    }

    init?(wireNumber: UInt8) {
        switch wireNumber {
        case 0: self = .other
        case 1: self = .opus
        case 2: self = .vp8
        case 3: self = .vp9
        case 4: self = .h264
        case 5: self = .h265
        case 6: self = .av1
        default: return nil
        }
    }
}
