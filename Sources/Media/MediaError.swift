/// What the media plane refuses or cannot do.
public struct MediaError: Error, Sendable, Hashable, CustomStringConvertible {
    /// A closed list: Rooms maps each to a client's error.
    public enum Code: String, Sendable, Hashable, CaseIterable {
        /// A setting is out of range or contradicts another.
        case invalidSetting
        /// An SSRC, MID or RID is taken by another producer of the transport.
        case streamConflict
        /// The transport, producer or consumer is gone.
        case notFound
        /// A bounded queue is full.
        case overloaded
        /// A system call failed: address in use, no descriptor left.
        case system
        /// A certificate or key cannot be read or used.
        case certificate
    }

    /// What kind of failure it is.
    public let code: Code
    /// What is wrong and what to do about it, for a person.
    public let message: String

    /// An error with its message.
    public init(_ code: Code, _ message: String) {
        self.code = code
        self.message = message
    }

    /// Code and message.
    public var description: String { "\(code.rawValue): \(message)" }
}
