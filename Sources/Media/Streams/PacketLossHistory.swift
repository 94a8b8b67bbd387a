/// The share of a transport's packets that got lost, over its last feedback packets: a weighted average of the last 24,
/// the newest counting most, as mediasoup has it.
struct PacketLossHistory {
    static let length = 24

    private var shares = InlineArray<24, Float>(repeating: 0)
    private var count = 0
    private var next = 0

    /// 0…1; `nil` before the first feedback.
    var value: Double? {
        guard count > 0 else { return nil }
        var sum = 0.0
        var weights = 0.0
        for age in 0..<count {
            let weight = Double(count - age)
            sum += weight * Double(shares[(next + Self.length - 1 - age) % Self.length])
            weights += weight
        }
        return sum / weights
    }

    /// A feedback packet reported so many packets, of which so many did not come.
    mutating func add(lost: Int, of packets: Int) {
        guard packets > 0 else { return }
        shares[next] = Float(min(max(lost, 0), packets)) / Float(packets)
        next = (next + 1) % Self.length
        count = min(count + 1, Self.length)
    }
}

// MARK: Snapshot

extension PacketLossHistory: Restorable {
    init(restoring reader: inout SnapshotReader) throws(WireError) {
        count = try reader.readCount(atMost: Self.length)
        next = count % Self.length
        for index in 0..<count {
            let share = Float(bitPattern: try reader.readUInt32())
            guard (0...1).contains(share) else { throw .malformed }
            shares[index] = share
        }
    }

    func write(to writer: inout SnapshotWriter) {
        writer.writeCount(count)
        for age in (0..<count).reversed() {
            writer.writeUInt32(shares[(next + Self.length - 1 - age) % Self.length].bitPattern)
        }
    }
}
