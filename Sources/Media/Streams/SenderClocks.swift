/// The clocks of a transport's senders: one mostly, more where the client forwards what others send.
struct SenderClocks {
    private var clocks: [String: SenderClock] = [:]

    /// - Parameter known: the CNAMEs of the transport's producers.
    mutating func reportReceived(
        ntp: UInt64, of cname: String, among known: @autoclosure () -> Set<String>, at arrival: MediaInstant
    ) -> MediaInstant {
        if clocks[cname] == nil {
            let names = known()
            clocks = clocks.filter { names.contains($0.key) }
        }
        return clocks[cname, default: SenderClock()].reportReceived(ntp: ntp, at: arrival)
    }
}

extension SenderClocks: Restorable {
    /// Signaling takes names of 255 characters.
    private static let longestName = 1020

    init(restoring reader: inout SnapshotReader) throws(WireError) {
        var previous: String?
        for _ in 0..<(try reader.readCount(atMost: 0xFFFF)) {
            let name = try reader.readText(atMost: Self.longestName)
            if let previous, previous >= name { throw .malformed }
            previous = name
            clocks[name] = try reader.read()
        }
    }

    func write(to writer: inout SnapshotWriter) {
        let names = clocks.keys.sorted().filter { $0.utf8.count <= Self.longestName }.prefix(0xFFFF)
        writer.writeCount(names.count)
        for name in names {
            writer.writeText(name)
            writer.write(clocks[name] ?? SenderClock())
        }
    }
}
