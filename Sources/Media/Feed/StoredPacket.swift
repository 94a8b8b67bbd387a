/// A packet as it lies in a retransmission buffer: like one in a `ShardMessage`.
// Safe: what is read was written by `write`, and `decode` checks its length all the same.
enum StoredPacket {
    /// - Returns: the bytes to keep; `nil` when they are too many.
    static func write(
        _ packet: PreparedPacket, template: UnsafeRawBufferPointer, payload: UnsafeRawBufferPointer,
        to memory: UnsafeMutableRawBufferPointer
    ) -> UnsafeRawBufferPointer? {
        let length = packet.encodedLength
        guard length <= min(memory.count, RetransmissionBuffer.maxPacketLength), let start = memory.baseAddress else {
            return nil
        }
        unsafe packet.encode(template: template, payload: payload, to: start)
        return unsafe UnsafeRawBufferPointer(rebasing: memory[..<length])
    }

    static func read(
        _ bytes: UnsafeRawBufferPointer
    ) -> (packet: PreparedPacket, template: UnsafeRawBufferPointer, payload: UnsafeRawBufferPointer)? {
        unsafe PreparedPacket.decode(bytes)
    }
}
