/// INIT and INIT ACK (RFC 9260 §3.3.2, §3.3.3), which differ by the cookie.
struct SCTPInitiation: Hashable, Sendable {
    /// Parameters that were not known are reported in copy, of so many bytes in all.
    static let longestReport = 256
    private static let maximumParameters = 64

    /// The tag of packets to the sender; never 0.
    var tag: UInt32
    /// The sender's receive window, in bytes.
    var window: UInt32
    /// Streams that the sender wants to send on, and takes at most; never 0.
    var outgoingStreams: UInt16
    var incomingStreams: UInt16
    var initialTSN: TSN
    var capabilities: SCTPCapabilities
    /// INIT ACK's; empty in INIT.
    var cookie: [UInt8] = []
    /// Whole parameters that were not known and want a report, padded, one after another.
    var unrecognized: [UInt8] = []

    init(
        tag: UInt32, window: UInt32, outgoingStreams: UInt16, incomingStreams: UInt16, initialTSN: TSN,
        capabilities: SCTPCapabilities
    ) {
        self.tag = tag
        self.window = window
        self.outgoingStreams = outgoingStreams
        self.incomingStreams = incomingStreams
        self.initialTSN = initialTSN
        self.capabilities = capabilities
    }

    /// - Throws: `truncated`; `malformed` for a tag or a number of streams that is 0 (RFC 9260 §3.3.2); `tooLarge` for
    ///   parameters without end.
    init(parsing chunk: SCTPChunkView) throws(WireError) {
        var reader = unsafe ByteReader(chunk.value)
        tag = try reader.readUInt32()
        window = try reader.readUInt32()
        outgoingStreams = try reader.readUInt16()
        incomingStreams = try reader.readUInt16()
        initialTSN = TSN(try reader.readUInt32())
        capabilities = []
        guard tag != 0, outgoingStreams != 0, incomingStreams != 0 else { throw .malformed }
        var parameters = unsafe SCTPParameterIterator(reader.readRemaining())
        var count = 0
        while let parameter = try parameters.next() {
            count += 1
            guard count <= Self.maximumParameters else { throw .tooLarge }
            guard try read(parameter) else { break }
        }
    }

    /// - Returns: whether to go on behind it.
    private mutating func read(_ parameter: SCTPParameterIterator.Element) throws(WireError) -> Bool {
        switch parameter.type {
        case SCTPParameterType.stateCookie: cookie = unsafe Array(parameter.value)
        case SCTPParameterType.forwardTSNSupported: capabilities.insert(.partialReliability)
        case SCTPParameterType.supportedExtensions: unsafe readExtensions(parameter.value)
        case SCTPParameterType.zeroChecksumAcceptable:
            var value = unsafe ByteReader(parameter.value)
            if try value.readUInt32() == SCTPCapabilities.checksumByDTLS { capabilities.insert(.zeroChecksum) }
        case let type where !SCTPParameterType.ignored.contains(type):
            let padding = unsafe (4 - parameter.whole.count % 4) % 4
            if SCTPParameterType.isReportable(type),
                unsafe unrecognized.count + parameter.whole.count + padding <= Self.longestReport
            {
                unsafe unrecognized.append(contentsOf: parameter.whole)
                unrecognized.append(contentsOf: repeatElement(0, count: padding))
            }
            return SCTPParameterType.isSkippable(type)
        default: break
        }
        return true
    }

    private mutating func readExtensions(_ types: UnsafeRawBufferPointer) {
        var found: [SCTPChunkType: Bool] = [:]
        unsafe types.forEach { found[SCTPChunkType(rawValue: $0)] = true }
        if found[.reconfiguration] != nil { capabilities.insert(.reconfiguration) }
        if found[.forwardTSN] != nil { capabilities.insert(.partialReliability) }
        // Both have to be known for either to be used (RFC 8260 §2.2.1).
        if found[.interleavedData] != nil, found[.interleavedForwardTSN] != nil { capabilities.insert(.interleaving) }
    }

    func write(_ type: SCTPChunkType, into writer: inout SCTPPacketWriter) throws(WireError) {
        try writer.beginChunk(type)
        try writer.writeUInt32(tag)
        try writer.writeUInt32(window)
        try writer.writeUInt16(outgoingStreams)
        try writer.writeUInt16(incomingStreams)
        try writer.writeUInt32(initialTSN.rawValue)
        if !cookie.isEmpty {
            let start = try writer.beginParameter(SCTPParameterType.stateCookie)
            try writer.writeBytes(cookie)
            try writer.endParameter(start)
        }
        if capabilities.contains(.partialReliability) {
            try writer.endParameter(try writer.beginParameter(SCTPParameterType.forwardTSNSupported))
        }
        try writeExtensions(into: &writer)
        if capabilities.contains(.zeroChecksum) {
            let start = try writer.beginParameter(SCTPParameterType.zeroChecksumAcceptable)
            try writer.writeUInt32(SCTPCapabilities.checksumByDTLS)
            try writer.endParameter(start)
        }
        try writeUnrecognized(into: &writer)
        try writer.endChunk()
    }

    private func writeExtensions(into writer: inout SCTPPacketWriter) throws(WireError) {
        guard !capabilities.isDisjoint(with: [.partialReliability, .reconfiguration, .interleaving]) else { return }
        let start = try writer.beginParameter(SCTPParameterType.supportedExtensions)
        if capabilities.contains(.reconfiguration) { try writer.writeUInt8(SCTPChunkType.reconfiguration.rawValue) }
        if capabilities.contains(.partialReliability) { try writer.writeUInt8(SCTPChunkType.forwardTSN.rawValue) }
        if capabilities.contains(.interleaving) {
            try writer.writeUInt8(SCTPChunkType.interleavedData.rawValue)
            try writer.writeUInt8(SCTPChunkType.interleavedForwardTSN.rawValue)
        }
        try writer.endParameter(start)
    }

    /// INIT ACK says what was not known in INIT, each parameter in one of its own (RFC 9260 §3.2.1).
    private func writeUnrecognized(into writer: inout SCTPPacketWriter) throws(WireError) {
        var offset = 0
        while offset + 4 <= unrecognized.count {
            let length = Int(unrecognized[offset + 2]) << 8 | Int(unrecognized[offset + 3])
            guard length >= 4, offset + length <= unrecognized.count else { return }
            let start = try writer.beginParameter(SCTPParameterType.unrecognized)
            try writer.writeBytes(unrecognized, offset..<offset + length)
            try writer.endParameter(start)
            offset += (length + 3) & ~3
        }
    }
}
