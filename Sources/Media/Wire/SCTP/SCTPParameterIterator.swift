/// Parameters of a chunk (RFC 9260 §3.2.1), or error causes (§3.3.10), which have the same form.
@safe struct SCTPParameterIterator {
    /// One of them, in place.
    @safe struct Element {
        let type: UInt16
        let value: UnsafeRawBufferPointer
        /// With its header, without padding.
        let whole: UnsafeRawBufferPointer
    }

    static let headerLength = 4

    private let bytes: UnsafeRawBufferPointer
    private var offset = 0

    init(_ bytes: UnsafeRawBufferPointer) { unsafe self.bytes = bytes }

    /// The next one; `nil` at the end.
    /// - Throws: `truncated`, or `malformed` for a length below the header's.
    mutating func next() throws(WireError) -> Element? {
        let remaining = unsafe bytes.count - offset
        guard remaining > 0 else { return nil }
        guard remaining >= Self.headerLength else { throw .truncated }
        let length = unsafe Int(bytes.uint16(provenAt: offset + 2))
        guard length >= Self.headerLength else { throw .malformed }
        guard let whole = unsafe bytes.view(from: offset, count: length),
            let value = unsafe bytes.view(from: offset + Self.headerLength, count: length - Self.headerLength)
        else { throw .truncated }
        let element = unsafe Element(type: bytes.uint16(provenAt: offset), value: value, whole: whole)
        offset += (length + 3) & ~3
        return element
    }
}
