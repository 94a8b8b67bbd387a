// Safe: headers are written from a `HeaderTemplate`, which places the descriptor and everything before it at fixed offsets
// inside `header`; lengths read from it are checked against the header's end.

/// What becomes of a template's dependency descriptor for one consumer.
///
/// A client that has negotiated it gets it with frame numbers that go on when the consumer is pointed at another source:
/// receivers drop a frame that is numbered before its predecessor. Everybody else gets padding in its place.
struct DependencyDescriptorRewriter {
    /// Whether the client negotiated the extension.
    let isWanted: Bool
    private var offset: UInt16 = 0
    private var newest: UInt16 = 0
    private var hasSent = false
    private var mustContinue = false

    init(isWanted: Bool) { self.isWanted = isWanted }

    /// From here on frames are another source's.
    mutating func sourceChanged() { mustContinue = hasSent }

    /// Whether a template carries a descriptor.
    @inline(__always)
    static func isIn(_ template: UnsafeRawBufferPointer) -> Bool {
        guard template.count > HeaderTemplate.proxiedOffset else { return false }
        return unsafe template[12] == 0x10
            || template[HeaderTemplate.proxiedOffset] >> 4 == HeaderExtension.dependencyDescriptor.routerID
    }

    /// Finishes a header whose fixed elements have been patched in their one-byte form.
    mutating func finish(_ header: UnsafeMutableRawBufferPointer) {
        let isWide = unsafe header[12] == 0x10
        if isWide { unsafe Self.widen(header) }
        let start = isWide ? HeaderTemplate.wideProxiedOffset : HeaderTemplate.proxiedOffset
        let begin = start + (isWide ? 2 : 1)
        guard begin <= header.count else { return }
        let length = unsafe isWide ? Int(header[start + 1]) : Int(header[start] & 0x0F) + 1
        let end = min(begin + length, header.count)
        guard isWanted, end - begin >= 3 else {
            for index in start..<end { unsafe header[index] = 0 }
            return
        }
        // Flags and template in the first byte, then the frame number (AV1 RTP specification, A.8.2).
        let frame = unsafe UInt16(header[begin + 1]) << 8 | UInt16(header[begin + 2])
        if mustContinue {
            mustContinue = false
            offset = newest &+ 1 &- frame
        }
        let number = frame &+ offset
        if !hasSent || number &- newest < 0x8000 { newest = number }
        hasSent = true
        unsafe header[begin + 1] = UInt8(truncatingIfNeeded: number >> 8)
        unsafe header[begin + 2] = UInt8(truncatingIfNeeded: number)
    }

    /// Gives the fixed elements two-byte heads: 5, 4 and at most 10 bytes in the 20 that are there.
    private static func widen(_ header: UnsafeMutableRawBufferPointer) {
        guard header.count >= HeaderTemplate.wideProxiedOffset else { return }
        var patched = InlineArray<16, UInt8>(repeating: 0)
        for index in 0..<16 { patched[index] = unsafe header[HeaderTemplate.absSendTimeOffset + index] }
        for index in HeaderTemplate.absSendTimeOffset..<HeaderTemplate.wideProxiedOffset { unsafe header[index] = 0 }
        var read = 0
        var write = HeaderTemplate.absSendTimeOffset
        while read < 16 {
            let head = patched[read]
            read += 1
            guard head != 0 else { continue }
            let length = min(Int(head & 0x0F) + 1, 16 - read)
            guard write + 2 + length <= HeaderTemplate.wideProxiedOffset else { return }
            unsafe header[write] = head >> 4
            unsafe header[write + 1] = UInt8(truncatingIfNeeded: length)
            for index in 0..<length { unsafe header[write + 2 + index] = patched[read + index] }
            read += length
            write += 2 + length
        }
    }
}

// MARK: Snapshot

extension DependencyDescriptorRewriter: Restorable {
    init(restoring reader: inout SnapshotReader) throws(WireError) {
        isWanted = try reader.read()
        offset = try reader.read()
        newest = try reader.read()
        hasSent = try reader.read()
        mustContinue = try reader.read()
    }

    func write(to writer: inout SnapshotWriter) {
        writer.write(isWanted)
        writer.write(offset)
        writer.write(newest)
        writer.write(hasSent)
        writer.write(mustContinue)
    }
}
