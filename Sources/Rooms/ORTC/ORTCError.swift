/// Why parameters cannot be negotiated.
public struct ORTCError: Error, Sendable, Hashable, CustomStringConvertible {
    /// What kind of refusal.
    public enum Kind: Sendable, Hashable, CaseIterable {
        /// The parameters are wrong in themselves (mediasoup's `TypeError`).
        case invalid
        /// They are right, and the other side cannot do it (mediasoup's `UnsupportedError`).
        case unsupported
    }

    /// What kind of refusal.
    public let kind: Kind
    /// What is wrong.
    public let message: String

    static func invalid(_ message: String) -> ORTCError { ORTCError(kind: .invalid, message: message) }
    static func unsupported(_ message: String) -> ORTCError { ORTCError(kind: .unsupported, message: message) }

    /// The message.
    public var description: String { message }
}
