/// Why the gateway could not start.
public struct GatewayError: Error, Sendable, Hashable, CustomStringConvertible {
    /// A closed list: the server maps each to the option to change.
    public enum Code: String, Sendable, Hashable, CaseIterable {
        /// Another process listens on the port.
        case portInUse
        /// The address is not one of this machine's, or not an address.
        case addressUnavailable
        /// The port needs a privilege this process does not have.
        case permissionDenied
        /// The TLS certificate or its key cannot be used.
        case certificate
        /// The TURN server's own port cannot be had.
        case turnPort
        /// Another system call failed.
        case system
    }

    /// What kind of failure it is.
    public let code: Code
    /// What is wrong, for a person; names no option, since only the caller knows where the value came from.
    public let message: String

    /// An error with its message.
    public init(_ code: Code, _ message: String) {
        self.code = code
        self.message = message
    }

    /// The message.
    public var description: String { message }
}
