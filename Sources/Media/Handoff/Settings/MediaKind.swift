/// Audio or video.
public enum MediaKind: String, Sendable, Hashable, CaseIterable {
    case audio, video
}
