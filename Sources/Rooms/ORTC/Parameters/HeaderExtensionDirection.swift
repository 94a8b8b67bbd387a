/// The direction of a header extension.
public enum HeaderExtensionDirection: String, Sendable, Hashable {
    case sendrecv, sendonly, recvonly, inactive
}
