/// The first few attribute types a request needs its receiver to understand and we do not.
struct STUNUnknownAttributes: Sendable {
    static let capacity = 8

    private var types = InlineArray<8, UInt16>(repeating: 0)
    private(set) var count = 0

    var isEmpty: Bool { count == 0 }

    /// - Parameter index: 0..<`count`.
    subscript(index: Int) -> UInt16 { types[index] }

    /// Beyond `capacity` the list stays as it is: naming some is enough for the client.
    mutating func append(_ type: UInt16) {
        guard count < Self.capacity else { return }
        types[count] = type
        count += 1
    }
}
