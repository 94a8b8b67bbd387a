/// What is wrong with a session description, and where.
struct SDPError: Error, Sendable, Hashable, CustomStringConvertible {
    /// Counted from 1; 0 if no single line is to blame.
    let line: Int
    /// `m=`, `a=rtpmap`, …
    let field: String
    /// In words for who wrote the description.
    let message: String

    init(line: Int = 0, _ field: String, _ message: String) {
        self.line = line
        self.field = field
        self.message = message
    }

    var description: String { line > 0 ? "line \(line), \(field): \(message)" : "\(field): \(message)" }
}
