/// Why a text is not JSON that we take.
public struct JSONSyntaxError: Error, Sendable, Hashable, CustomStringConvertible {
    /// What was wrong.
    public let problem: String
    /// Where, in bytes from the start.
    public let offset: Int

    /// What is wrong and where, for a person.
    public var description: String { "\(problem) at byte \(offset)" }
}
