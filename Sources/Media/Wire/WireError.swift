/// Why bytes are not a value, or a value does not fit into bytes.
enum WireError: Error, Hashable, Sendable {
    /// The bytes end before the length a field declares.
    case truncated
    /// A field contradicts another field or its specification.
    case malformed
    /// The protocol version is not the one this parser reads.
    case unsupportedVersion
    /// The bytes are well-formed but of another type than the one asked for.
    case unexpectedType
    /// A count exceeds the bound this implementation sets on what a remote endpoint may size.
    case tooLarge
    /// The destination buffer is full.
    case noSpace
}
