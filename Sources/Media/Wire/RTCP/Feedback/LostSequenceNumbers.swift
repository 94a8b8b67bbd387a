/// The sequence numbers of a generic NACK in the order of the packet.
struct LostSequenceNumbers: Sequence, IteratorProtocol {
    private var reader: ByteReader
    /// The last PID, and its BLP shifted past what has been given out.
    private var number = SequenceNumber(0)
    private var following: UInt16 = 0

    init(_ reader: ByteReader) { self.reader = reader }

    mutating func next() -> SequenceNumber? {
        if following != 0 {
            let step = following.trailingZeroBitCount + 1
            number = number.advanced(by: step)
            // A shift by 16 clears all: `>>` is the smart shift.
            following = following >> UInt16(step)
            return number
        }
        guard let pid = try? reader.readUInt16(), let blp = try? reader.readUInt16() else { return nil }
        number = SequenceNumber(pid)
        following = blp
        return number
    }
}
