/// An input read as a list of steps.
struct Script {
    private var rest: UnsafeRawBufferPointer.SubSequence

    init(_ bytes: UnsafeRawBufferPointer) { rest = bytes[...] }

    /// The next byte; `nil` at the end.
    mutating func next() -> UInt8? { rest.popFirst() }

    /// The next two bytes, with zeros behind the end.
    mutating func number() -> UInt16 { UInt16(rest.popFirst() ?? 0) << 8 | UInt16(rest.popFirst() ?? 0) }

    /// Some bytes, behind a byte that says how many; fewer at the end.
    mutating func bytes() -> [UInt8] {
        let count = Int(rest.popFirst() ?? 0)
        defer { rest = rest.dropFirst(count) }
        return Array(rest.prefix(count))
    }

    /// Everything that is left.
    mutating func remainder() -> [UInt8] {
        defer { rest = rest.dropFirst(rest.count) }
        return Array(rest)
    }
}
