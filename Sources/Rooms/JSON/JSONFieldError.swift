/// A field of a client's message that is missing or of the wrong type.
public struct JSONFieldError: Error, Sendable, Hashable, CustomStringConvertible {
    /// The field's path: `rtpParameters.codecs[0].clockRate`.
    public let path: String
    /// What is wrong with it.
    public let problem: String

    /// Path and problem, for a person.
    public var description: String { path.isEmpty ? problem : "\(path): \(problem)" }
}
