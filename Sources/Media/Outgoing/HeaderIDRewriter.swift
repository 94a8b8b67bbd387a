/// Turns the router's payload types and extension ids in a written header into a client's own.
///
/// Trivial and a pointer wide, so that consumers who take the router's numbers, nearly all, pay one comparison.
// Safe: `table` is `tableLength` bytes, initialized at once, owned by the consumer that made it and freed in its `deinit`;
// indices are a payload type below 128, or 128 plus four bits.
@safe struct HeaderIDRewriter {
    private let table: UnsafeMutablePointer<UInt8>
    private static let tableLength = 128 + 16

    init(_ numbering: ConsumerIDMapping) {
        unsafe table = .allocate(capacity: Self.tableLength)
        for index in 0..<Self.tableLength {
            unsafe table[index] = index < 128 ? UInt8(truncatingIfNeeded: index) : 0
        }
        for (router, client) in numbering.payloadTypes { unsafe table[Int(router & 0x7F)] = client & 0x7F }
        let ids = numbering.headerExtensions
        for ext in HeaderExtension.allCases where ids[ext] < 15 {
            // 15 ends a one-byte block (RFC 8285 §4.2), and no offer's id beyond it can be sent in one.
            unsafe table[128 + Int(ext.routerID)] = ids[ext]
        }
    }

    func deallocate() { unsafe table.deallocate() }

    /// Rewrites a header made from a `HeaderTemplate`, to its last byte; elements without a number become padding.
    func apply(to header: UnsafeMutableRawBufferPointer) {
        guard header.count >= HeaderTemplate.absSendTimeOffset else { return }
        unsafe header[1] = unsafe header[1] & 0x80 | table[Int(header[1] & 0x7F)]
        var offset = HeaderTemplate.absSendTimeOffset
        if unsafe header[12] == 0x10 { return unsafe applyWide(to: header) }
        while offset < header.count {
            let head = unsafe header[offset]
            guard head != 0 else {
                offset += 1
                continue
            }
            let next = min(offset + 2 + Int(head & 0x0F), header.count)
            let id = unsafe table[128 + Int(head >> 4)]
            if id == 0 {
                for index in offset..<next { unsafe header[index] = 0 }
            } else {
                unsafe header[offset] = id << 4 | head & 0x0F
            }
            offset = next
        }
    }

    /// The same in a block with two-byte heads (RFC 8285 §4.3).
    private func applyWide(to header: UnsafeMutableRawBufferPointer) {
        var offset = HeaderTemplate.absSendTimeOffset
        while offset + 1 < header.count {
            guard unsafe header[offset] != 0 else {
                offset += 1
                continue
            }
            let next = unsafe min(offset + 2 + Int(header[offset + 1]), header.count)
            let id = unsafe table[128 + Int(header[offset] & 0x0F)]
            if id == 0 {
                for index in offset..<next { unsafe header[index] = 0 }
            } else {
                unsafe header[offset] = id
            }
            offset = next
        }
    }
}

extension HeaderIDRewriter: Restorable {
    init(restoring reader: inout SnapshotReader) throws(WireError) {
        let bytes = try reader.readBytes(Self.tableLength)
        guard bytes[..<128].allSatisfy({ $0 < 128 }), bytes[128...].allSatisfy({ $0 < 15 }) else { throw .malformed }
        unsafe table = .allocate(capacity: Self.tableLength)
        for index in 0..<Self.tableLength { unsafe table[index] = bytes[index] }
    }

    func write(to writer: inout SnapshotWriter) {
        for index in 0..<Self.tableLength { unsafe writer.writeUInt8(table[index]) }
    }
}
