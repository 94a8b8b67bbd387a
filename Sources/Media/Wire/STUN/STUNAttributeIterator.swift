// Safe: the buffer is only read through views and loads whose bounds were checked, while the caller keeps it alive.

/// Walks the attributes of a STUN message (RFC 8489 §14) whose header has been checked.
@safe struct STUNAttributeIterator {
    @safe struct Element {
        let type: STUNAttributeType
        /// The offset of the attribute's header in the message.
        let offset: Int
        let value: UnsafeRawBufferPointer
    }

    private let bytes: UnsafeRawBufferPointer
    private var offset = STUNMessage.headerLength

    init(_ message: UnsafeRawBufferPointer) { unsafe bytes = unsafe message }

    /// - Throws: `truncated` where an attribute does not fit into the message.
    mutating func next() throws(WireError) -> Element? {
        guard unsafe offset < bytes.count else { return nil }
        guard let header = unsafe bytes.view(from: offset, count: 4) else { throw .truncated }
        let length = unsafe Int(header.uint16(provenAt: 2))
        guard let value = unsafe bytes.view(from: offset + 4, count: length) else { throw .truncated }
        defer { offset += 4 + (length + 3) / 4 * 4 }
        return unsafe Element(
            type: STUNAttributeType(rawValue: header.uint16(provenAt: 0)), offset: offset, value: value)
    }
}
