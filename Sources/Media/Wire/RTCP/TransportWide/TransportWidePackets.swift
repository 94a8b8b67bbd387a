/// Walks the packets of a feedback whose lengths have been checked.
struct TransportWidePackets: Sequence, IteratorProtocol {
    private var chunks: ByteReader
    private var deltas: ByteReader
    private var sequence: SequenceNumber
    private var left: Int
    private var chunk = TransportWideChunk(encoded: 0)
    private var position = 0
    private var arrival = 0

    init(chunks: ByteReader, deltas: ByteReader, baseSequence: SequenceNumber, left: Int) {
        self.chunks = chunks
        self.deltas = deltas
        sequence = baseSequence
        self.left = left
    }

    mutating func next() -> TransportWidePacket? {
        guard left > 0 else { return nil }
        if position == chunk.count {
            guard let encoded = try? chunks.readUInt16() else { return nil }
            chunk = TransportWideChunk(encoded: encoded)
            position = 0
        }
        let symbol = chunk.symbol(at: position)
        position += 1
        left -= 1
        defer { sequence = sequence.advanced(by: 1) }
        switch symbol {
        case .notReceived: return TransportWidePacket(sequenceNumber: sequence, arrival: nil)
        case .smallDelta:
            guard let delta = try? deltas.readUInt8() else { return nil }
            arrival += Int(delta)
        case .largeDelta:
            guard let delta = try? deltas.readUInt16() else { return nil }
            arrival += Int(Int16(bitPattern: delta))
        case .reserved: return nil
        }
        return TransportWidePacket(sequenceNumber: sequence, arrival: arrival)
    }
}
