// Safe: a frame is a part of the input, or was copied into `scratch`, whose length is compared first.

/// Takes a connection's bytes apart into packets, each of which comes behind its length in 16 bits (RFC 4571 §2).
///
/// It keeps a packet that has not come whole, and nothing else. Packets of no bytes are passed over, as the RFC has it.
struct TCPFrameReader {
    /// Nothing that is spoken here is shorter: a DTLS record's header.
    static let shortest = 13
    /// Nor longer: what is taken of a datagram.
    static let longest = 2048
    /// Before each packet.
    static let headerLength = 2

    /// The beginning of a packet with its length; empty between packets.
    private var partial: [UInt8] = []

    init() {}

    /// The next whole packet, to be used before the next call.
    /// - Parameters:
    ///   - input: what has come; what is read is taken off its beginning.
    ///   - scratch: for a packet that came in pieces: `longest` bytes.
    /// - Returns: `nil` when more has to come.
    /// - Throws: `malformed` for a length that no packet has. Then where packets begin is known no more.
    mutating func next(
        in input: inout UnsafeMutableRawBufferPointer, scratch: UnsafeMutableRawBufferPointer
    ) throws(WireError) -> UnsafeMutableRawBufferPointer? {
        while true {
            if partial.isEmpty {
                guard input.count >= Self.headerLength else { break }
                let length = unsafe try Self.length(input[0], input[1])
                guard input.count >= Self.headerLength + length else { break }
                let frame = unsafe Self.take(Self.headerLength + length, of: &input)
                if length > 0 {
                    return unsafe UnsafeMutableRawBufferPointer(rebasing: frame[Self.headerLength...])
                }
            } else {
                unsafe append(Self.headerLength - partial.count, of: &input)
                guard partial.count >= Self.headerLength else { return nil }
                let length = try Self.length(partial[0], partial[1])
                unsafe append(Self.headerLength + length - partial.count, of: &input)
                guard partial.count == Self.headerLength + length, scratch.count >= length else { return nil }
                unsafe scratch.copyBytes(from: partial[Self.headerLength...])
                partial.removeAll(keepingCapacity: true)
                if length > 0 { return unsafe UnsafeMutableRawBufferPointer(rebasing: scratch[..<length]) }
            }
        }
        unsafe append(input.count, of: &input)
        return nil
    }

    private mutating func append(_ count: Int, of input: inout UnsafeMutableRawBufferPointer) {
        guard count > 0 else { return }
        unsafe partial.append(contentsOf: Self.take(min(count, input.count), of: &input))
    }

    private static func take(
        _ count: Int, of input: inout UnsafeMutableRawBufferPointer
    ) -> UnsafeMutableRawBufferPointer {
        let taken = unsafe UnsafeMutableRawBufferPointer(rebasing: input[..<count])
        unsafe input = UnsafeMutableRawBufferPointer(rebasing: input[count...])
        return unsafe taken
    }

    private static func length(_ high: UInt8, _ low: UInt8) throws(WireError) -> Int {
        let length = Int(high) << 8 | Int(low)
        guard length == 0 || (shortest...longest).contains(length) else { throw .malformed }
        return length
    }
}
