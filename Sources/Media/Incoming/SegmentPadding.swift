/// Makes the packets of a video frame equally long, so that a destination's packets leave as one message: senders cut a frame
/// into parts that differ by a byte or two, and UDP_SEGMENT wants equal ones.
enum SegmentPadding {
    /// Lengths become multiples of this: under one per cent more bytes, and nearly always equal within a frame.
    static let step = 16
    /// Longer ones fill their path as they are: nothing of ours makes them longer.
    static let longest = 1200
    /// Shorter packets are not cuts of a large frame.
    static let shortest = 256

    /// Appends RTP padding behind the payload where the receive buffer has room for it.
    /// - Parameter room: writable bytes behind the payload.
    /// - Returns: the number of padding bytes, which `payload` then includes; the header's P bit is the caller's to set.
    // Safe: writes at most `room` bytes behind the payload, into the receive buffer that the payload lies in.
    static func pad(_ payload: inout UnsafeRawBufferPointer, headerLength: Int, room: Int) -> Int {
        let length = headerLength + payload.count
        let padding = (step - length % step) % step
        guard padding > 0, padding <= room, (shortest...longest).contains(length), let start = payload.baseAddress
        else { return 0 }
        let end = unsafe UnsafeMutableRawPointer(mutating: start + payload.count)
        unsafe end.initializeMemory(as: UInt8.self, repeating: 0, count: padding)
        unsafe end.storeBytes(of: UInt8(truncatingIfNeeded: padding), toByteOffset: padding - 1, as: UInt8.self)
        unsafe payload = UnsafeRawBufferPointer(start: start, count: payload.count + padding)
        return padding
    }
}
