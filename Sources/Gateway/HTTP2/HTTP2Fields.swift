import CNGHTTP2

/// Names and values laid out as libnghttp2 reads them.
struct HTTP2Fields {
    private var bytes: [UInt8] = []
    private var lengths: [(name: Int, value: Int)] = []

    mutating func add(_ name: String, _ value: String) {
        bytes += Array(name.utf8)
        bytes += Array(value.utf8)
        lengths.append((name.utf8.count, value.utf8.count))
    }

    /// Safe: the pointers in `body`'s argument are into `bytes`, which outlives the call; libnghttp2 copies what it keeps.
    // Safe: every entry's name and value are `lengths` consecutive bytes of `bytes`, in order.
    func withNameValues(_ body: (UnsafeBufferPointer<nghttp2_nv>) -> Void) {
        var bytes = bytes
        bytes.withUnsafeMutableBufferPointer { storage in
            guard var next = storage.baseAddress else { return body(UnsafeBufferPointer(start: nil, count: 0)) }
            let values = lengths.map { length in
                defer { next += length.name + length.value }
                return nghttp2_nv(
                    name: next, value: next + length.name, namelen: length.name, valuelen: length.value,
                    flags: UInt8(NGHTTP2_NV_FLAG_NONE.rawValue))
            }
            values.withUnsafeBufferPointer(body)
        }
    }
}
