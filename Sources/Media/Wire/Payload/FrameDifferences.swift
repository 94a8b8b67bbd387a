/// Distances in frame numbers to the frames that a frame refers to.
struct FrameDifferences: Hashable, Sendable {
    /// AV1 frames refer to at most seven others (AV1 §5.9.2); what is above this is refused.
    static let capacity = 8

    private(set) var count = 0
    private var values = InlineArray<8, UInt16>(repeating: 0)

    subscript(index: Int) -> UInt16 { values[index] }

    /// - Throws: `tooLarge` above `capacity`.
    mutating func append(_ value: UInt16) throws(WireError) {
        guard count < Self.capacity else { throw .tooLarge }
        values[count] = value
        count += 1
    }

    static func == (a: Self, b: Self) -> Bool {
        guard a.count == b.count else { return false }
        for index in 0..<a.count where a.values[index] != b.values[index] { return false }
        return true
    }

    func hash(into hasher: inout Hasher) {
        for index in 0..<count { hasher.combine(values[index]) }
    }
}
