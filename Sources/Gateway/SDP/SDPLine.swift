/// One line of a session description: a letter and a value (RFC 8866 §5).
struct SDPLine: Sendable, Hashable {
    /// Counted from 1; 0 in descriptions of our own making, and of no weight in comparisons.
    var number: Int
    var type: Character
    var value: String

    static func == (a: SDPLine, b: SDPLine) -> Bool { a.type == b.type && a.value == b.value }

    func hash(into hasher: inout Hasher) {
        hasher.combine(type)
        hasher.combine(value)
    }
}
