@testable import RoundhouseMedia

// Safe: buffers live for the call that they are given to.

/// What TCP connections add to datagrams: packets are found in a stream, and wait for a connection that takes little.
enum TCPTargets {
    static func run(_ bytes: UnsafeRawBufferPointer) {
        var script = Script(bytes)
        guard let first = script.next() else { return }
        if first & 1 == 0 { read(&script) } else { send(&script) }
    }

    /// A stream in pieces, which has to give what it gives as a whole.
    private static func read(_ script: inout Script) {
        var (pieces, stream): ([[UInt8]], [UInt8]) = ([], [])
        while let step = script.next() {
            // Of packets that are in order, too.
            let bytes = script.bytes()
            let isWhole = step & 1 == 0 && bytes.count <= 0xFFFF
            pieces.append(isWhole ? [UInt8(bytes.count >> 8), UInt8(bytes.count & 0xFF)] + bytes : bytes)
            stream += pieces[pieces.count - 1]
        }
        let (whole, cut) = (packets(of: [stream]), packets(of: pieces))
        precondition(whole.packets == cut.packets && whole.isBroken == cut.isBroken)
        precondition(whole.packets.reduce(0) { $0 + $1.count + TCPFrameReader.headerLength } <= stream.count)
    }

    private static func packets(of pieces: [[UInt8]]) -> (packets: [[UInt8]], isBroken: Bool) {
        var reader = TCPFrameReader()
        var packets: [[UInt8]] = []
        let scratch = UnsafeMutableRawBufferPointer.allocate(byteCount: TCPFrameReader.longest, alignment: 1)
        defer { scratch.deallocate() }
        for var piece in pieces {
            let isRead = piece.withUnsafeMutableBytes { buffer in
                var input = buffer
                do {
                    while let packet = try reader.next(in: &input, scratch: scratch) { packets.append(Array(packet)) }
                    return input.isEmpty
                } catch {
                    return false
                }
            }
            guard isRead else { return (packets, true) }
        }
        return (packets, false)
    }

    /// What comes out of a queue are whole packets, and what waits in it is bounded.
    private static func send(_ script: inout Script) {
        var queue = TCPSendQueue()
        var now = MediaInstant(nanoseconds: 1_000_000_000)
        var stream: [UInt8] = []
        let space = UnsafeMutableRawBufferPointer.allocate(byteCount: 4_096, alignment: 1)
        defer { space.deallocate() }
        var count = 0
        while let step = script.next() {
            switch step & 7 {
            case 0: now = now + .milliseconds(Int(script.next() ?? 0) * 4)
            case 1: queue.dropStale(at: now)
            case 2, 3:
                let staged = queue.stage(into: space)
                let sent = min(Int(script.number()), staged)
                queue.sent(sent)
                stream += space[..<sent]
            default:
                let length = TCPFrameReader.shortest + Int(step >> 5) * 256 + Int(script.next() ?? 0)
                let packet = [UInt8](repeating: step, count: min(length, TCPFrameReader.longest))
                queue.append(packet, TCPFrameKind.allCases[Int(step & 3)], at: now)
                count += 1
            }
            precondition(
                queue.count <= TCPSendQueue.capacity + TCPSendQueue.controlCapacity + TCPFrameReader.longest + 2)
        }
        while !queue.isEmpty {
            let staged = queue.stage(into: space)
            queue.sent(staged)
            stream += space[..<staged]
        }
        let result = packets(of: [stream])
        let dropped = queue.takeDropped()
        let lost = dropped.indices.reduce(0) { $0 + dropped[$1] }
        precondition(!result.isBroken && result.packets.count + lost == count)
    }
}
