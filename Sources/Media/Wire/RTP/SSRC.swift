/// A synchronization source identifier (RFC 3550 §3).
public struct SSRC: Hashable, Sendable, CustomStringConvertible {
    /// The number on the wire.
    public var rawValue: UInt32

    /// Names the source by its number.
    public init(_ rawValue: UInt32) { self.rawValue = rawValue }

    /// The number in decimal, as statistics and SDP write it.
    public var description: String { String(rawValue) }
}
