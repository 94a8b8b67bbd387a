/// Packets of one kind that wait for a connection, oldest first, as they will be sent: each behind its length.
struct TCPFrameList {
    private struct Frame {
        /// With the bytes that say it.
        var length: Int
        var queuedAt: MediaInstant
    }

    private var bytes: [UInt8] = []
    private var frames: [Frame] = []
    /// The first that are there still.
    private var head = (byte: 0, frame: 0)
    /// What is given up of memory that was taken off the beginning.
    private static let tolerated = 16_384

    /// Bytes that wait.
    var count: Int { bytes.count - head.byte }
    var isEmpty: Bool { head.frame == frames.count }
    /// When the oldest was queued.
    var oldest: MediaInstant? { isEmpty ? nil : frames[head.frame].queuedAt }
    /// The bytes that wait.
    var waiting: ArraySlice<UInt8> { bytes[head.byte...] }

    /// - Parameter packet: at most `TCPFrameReader.longest` bytes.
    mutating func append(_ packet: some Collection<UInt8>, at now: MediaInstant) {
        let length = packet.count
        bytes.append(UInt8(truncatingIfNeeded: length >> 8))
        bytes.append(UInt8(truncatingIfNeeded: length))
        bytes.append(contentsOf: packet)
        frames.append(Frame(length: TCPFrameReader.headerLength + length, queuedAt: now))
    }

    /// Gives up the oldest.
    mutating func dropFirst() {
        guard !isEmpty else { return }
        head = (head.byte + frames[head.frame].length, head.frame + 1)
        tidy()
    }

    /// So many of the bytes that wait were sent.
    /// - Returns: what is left of a packet that was cut: it goes on before anything else.
    mutating func sent(_ count: Int) -> [UInt8] {
        var left = count
        while left > 0, !isEmpty {
            let (start, length) = (head.byte, frames[head.frame].length)
            head = (start + length, head.frame + 1)
            if left < length {
                let rest = Array(bytes[start + left..<start + length])
                tidy()
                return rest
            }
            left -= length
        }
        tidy()
        return []
    }

    private mutating func tidy() {
        if isEmpty {
            let isLarge = bytes.capacity > Self.tolerated
            bytes.removeAll(keepingCapacity: !isLarge)
            frames.removeAll(keepingCapacity: !isLarge)
            head = (0, 0)
        } else if head.byte > Self.tolerated {
            bytes.removeFirst(head.byte)
            frames.removeFirst(head.frame)
            head = (0, 0)
        }
    }
}
