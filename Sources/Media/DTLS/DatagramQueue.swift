/// Outgoing datagrams of a handshake, each kept apart from the next. Empty, it holds no memory.
// Safe: `append` writes a datagram's length together with its bytes, so `start..<head` lies within them; `fits` bounds the
// copy into the caller's buffer.
struct DatagramQueue {
    /// More than any flight of ours; beyond it datagrams are refused.
    static let capacity = 65_536

    private var bytes: [UInt8] = []
    private var head = 0

    var isEmpty: Bool { head == bytes.count }

    /// Adds a datagram of at most 65,535 bytes. `false` when the queue is full.
    mutating func append(_ datagram: UnsafeRawBufferPointer) -> Bool {
        guard datagram.count <= 0xFFFF, bytes.count + datagram.count + 2 <= Self.capacity else { return false }
        bytes.append(UInt8(truncatingIfNeeded: datagram.count >> 8))
        bytes.append(UInt8(truncatingIfNeeded: datagram.count))
        unsafe bytes.append(contentsOf: datagram)
        return true
    }

    /// Adds a datagram of at most 65,535 bytes. `false` when the queue is full.
    mutating func append(_ datagram: [UInt8]) -> Bool { unsafe datagram.withUnsafeBytes { unsafe append($0) } }

    /// Copies the oldest datagram and forgets it. `nil` when there is none; a datagram that does not fit is lost, and 0
    /// the answer.
    mutating func removeFirst(into buffer: UnsafeMutableRawBufferPointer) -> Int? {
        guard head + 2 <= bytes.count else { return nil }
        let count = Int(bytes[head]) << 8 | Int(bytes[head + 1])
        let start = head + 2
        head = start + count
        let fits = count <= buffer.count
        if fits {
            unsafe bytes.withUnsafeBytes {
                unsafe buffer.copyMemory(from: UnsafeRawBufferPointer(rebasing: $0[start..<head]))
            }
        }
        if head == bytes.count { self = DatagramQueue() }
        return fits ? count : 0
    }
}
