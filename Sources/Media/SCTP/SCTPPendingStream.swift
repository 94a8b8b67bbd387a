/// What has arrived on one incoming stream and cannot be delivered yet.
struct SCTPPendingStream {
    /// By number, as they follow the next one expected.
    var ordered: [SCTPAssembly] = []
    /// DATA's stand in one; each message of I-DATA has its own.
    var unordered: [SCTPAssembly] = []

    var isEmpty: Bool { ordered.isEmpty && unordered.isEmpty }
    var held: Int { ordered.reduce(0) { $0 + $1.held } + unordered.reduce(0) { $0 + $1.held } }

    /// The place of the ordered message with this number, made if there is none.
    /// - Parameter distance: from the next number expected to another one.
    mutating func place(of number: UInt32, distance: (UInt32) -> Int) -> Int {
        let own = distance(number)
        var (low, high) = (0, ordered.count)
        if let last = ordered.last, distance(last.number) < own { low = high }
        while low < high {
            let middle = (low + high) / 2
            if distance(ordered[middle].number) < own { low = middle + 1 } else { high = middle }
        }
        if low == ordered.count || ordered[low].number != number {
            ordered.insert(SCTPAssembly(number: number), at: low)
        }
        return low
    }

    /// The place of an unordered message, made if there is none; messages of I-DATA come nearly in order.
    mutating func unorderedPlace(of number: UInt32) -> Int {
        if let index = unordered.lastIndex(where: { $0.number == number }) { return index }
        unordered.append(SCTPAssembly(number: number))
        return unordered.count - 1
    }
}

extension SCTPPendingStream: Restorable {
    init(restoring reader: inout SnapshotReader) throws(WireError) {
        for _ in 0..<(try reader.readUInt32()) { ordered.append(try reader.read()) }
        for _ in 0..<(try reader.readUInt32()) { unordered.append(try reader.read()) }
        guard !isEmpty else { throw .malformed }
    }

    func write(to writer: inout SnapshotWriter) {
        writer.writeUInt32(UInt32(clamping: ordered.count))
        for assembly in ordered { writer.write(assembly) }
        writer.writeUInt32(UInt32(clamping: unordered.count))
        for assembly in unordered { writer.write(assembly) }
    }
}
