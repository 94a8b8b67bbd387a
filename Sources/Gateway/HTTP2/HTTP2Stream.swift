import NIOCore

/// One stream's head under construction and what waits to be sent on it.
struct HTTP2Stream {
    private struct Chunk {
        var bytes: ByteBuffer
        var written: EventLoopPromise<Void>?
    }

    private(set) var head = HTTP2Head()
    /// The request is known to the session's user.
    var isAnnounced = false
    private var outgoing = CircularBuffer<Chunk>(initialCapacity: 0)
    /// Nothing is appended any more.
    var isFinished = false
    /// Everything is sent.
    var isAnswered = false

    mutating func fieldReceived(_ name: String, _ value: String, limits: HTTP2Limits) {
        head.add(name, value, limits: limits)
    }

    mutating func append(_ bytes: ByteBuffer, written: EventLoopPromise<Void>?) {
        outgoing.append(Chunk(bytes: bytes, written: written))
    }

    var hasOutgoing: Bool { !outgoing.isEmpty }

    /// Fills `target`, and adds the promises of chunks that are out to `written`.
    /// - Returns: the bytes copied.
    mutating func take(
        into target: UnsafeMutableRawBufferPointer, written: inout [EventLoopPromise<Void>]
    ) -> Int {
        var filled = 0
        while !outgoing.isEmpty {
            let first = outgoing.startIndex
            let count = min(outgoing[first].bytes.readableBytes, target.count - filled)
            // Safe: `filled + count` is at most the target's count, and `count` at most the chunk's.
            outgoing[first].bytes.readWithUnsafeReadableBytes { source in
                if count > 0 {
                    UnsafeMutableRawBufferPointer(rebasing: target[filled..<filled + count])
                        .copyMemory(from: UnsafeRawBufferPointer(rebasing: source[..<count]))
                }
                return count
            }
            filled += count
            guard outgoing[first].bytes.readableBytes == 0 else { break }
            if let promise = outgoing.removeFirst().written { written.append(promise) }
        }
        return filled
    }

    /// The promises of what will never be sent.
    mutating func abandon() -> [EventLoopPromise<Void>] {
        defer { outgoing.removeAll() }
        return outgoing.compactMap(\.written)
    }
}
