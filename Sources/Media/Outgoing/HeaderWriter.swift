// Safe: a header is written into memory of at least its template's length, which is a `HeaderTemplate`'s: all fixed offsets
// lie within it.

/// Writes a consumer's header over a copy of a packet's template (`HeaderTemplate`).
struct HeaderWriter {
    /// Whether packets are numbered for transport-wide feedback, where they may tell when they were sent.
    let usesTransportWideSequence: Bool
    private let stampsSendTime: Bool
    /// The MID element as nine consecutive bytes; all zero, which is padding, if no MID was negotiated.
    private let midHead: UInt64
    private let midTail: UInt8
    private var descriptors: DependencyDescriptorRewriter
    /// For a client with numbers of its own.
    private let renumbering: HeaderIDRewriter?

    init(_ settings: ConsumerSettings) {
        usesTransportWideSequence = settings.headerExtensions[.transportWideSequence] != 0
        stampsSendTime = settings.headerExtensions[.absSendTime] != 0
        (midHead, midTail) = Self.midElement(settings)
        descriptors = DependencyDescriptorRewriter(isWanted: settings.headerExtensions[.dependencyDescriptor] != 0)
        renumbering = settings.numbering.map { HeaderIDRewriter($0) }
    }

    func deallocate() { renumbering?.deallocate() }

    /// A different producer's packets come from now on.
    mutating func sourceChanged() { descriptors.sourceChanged() }

    /// - Parameters:
    ///   - out: room for the template.
    ///   - tellsTime: whether it may hold what depends on when it is sent.
    ///   - absSendTime: the time of sending as 24 bits of 6.18 fixed-point seconds.
    ///   - transportWide: the packet's number on its transport, if it is numbered.
    @inline(__always)
    mutating func write(
        _ outgoing: OutgoingPacket, template: UnsafeRawBufferPointer, to out: UnsafeMutableRawPointer,
        tellsTime: Bool, absSendTime: UInt32, transportWide: UInt16
    ) {
        guard let source = template.baseAddress else { return }
        unsafe out.copyMemory(from: source, byteCount: template.count)
        unsafe out.storeBytes(
            of: (outgoing.hasMarker ? 0x80 : 0) | outgoing.payloadType, toByteOffset: 1, as: UInt8.self)
        unsafe out.storeBytes(
            of: UInt16(truncatingIfNeeded: outgoing.index).bigEndian, toByteOffset: 2, as: UInt16.self)
        unsafe out.storeBytes(of: outgoing.timestamp.bigEndian, toByteOffset: 4, as: UInt32.self)
        unsafe out.storeBytes(of: outgoing.ssrc.bigEndian, toByteOffset: 8, as: UInt32.self)
        if stampsSendTime, tellsTime {
            let stamp = UInt32(HeaderExtension.absSendTime.routerID << 4 | 2) << 24 | absSendTime
            unsafe out.storeBytes(of: stamp.bigEndian, toByteOffset: HeaderTemplate.absSendTimeOffset, as: UInt32.self)
        }
        if usesTransportWideSequence, tellsTime {
            let offset = HeaderTemplate.transportWideOffset
            unsafe out.storeBytes(
                of: HeaderExtension.transportWideSequence.routerID << 4 | 1, toByteOffset: offset, as: UInt8.self)
            unsafe out.storeBytes(of: transportWide.bigEndian, toByteOffset: offset + 1, as: UInt16.self)
        }
        unsafe out.storeBytes(of: midHead, toByteOffset: HeaderTemplate.midOffset, as: UInt64.self)
        unsafe out.storeBytes(of: midTail, toByteOffset: HeaderTemplate.midOffset + 8, as: UInt8.self)
        if unsafe DependencyDescriptorRewriter.isIn(template) {
            unsafe descriptors.finish(UnsafeMutableRawBufferPointer(start: out, count: template.count))
        }
        unsafe renumbering?.apply(to: UnsafeMutableRawBufferPointer(start: out, count: template.count))
    }

    private static func midElement(_ settings: ConsumerSettings) -> (UInt64, UInt8) {
        guard settings.headerExtensions[.mid] != 0, let mid = settings.mid?.utf8,
            (1...HeaderTemplate.midCapacity).contains(mid.count)
        else { return (0, 0) }
        var bytes = [HeaderExtension.mid.routerID << 4 | UInt8(truncatingIfNeeded: mid.count - 1)] + Array(mid)
        while bytes.count < HeaderTemplate.midCapacity + 1 { bytes.append(0) }
        let head = bytes.prefix(8).reduce(UInt64(0)) { $0 << 8 | UInt64($1) }
        return (head.bigEndian, bytes[8])
    }
}

extension HeaderWriter: Restorable {
    init(restoring reader: inout SnapshotReader) throws(WireError) {
        usesTransportWideSequence = try reader.read()
        stampsSendTime = try reader.read()
        midHead = try reader.readUInt64()
        midTail = try reader.readUInt8()
        descriptors = try reader.read()
        renumbering = try reader.readOptional()
    }

    func write(to writer: inout SnapshotWriter) {
        writer.write(usesTransportWideSequence)
        writer.write(stampsSendTime)
        writer.writeUInt64(midHead)
        writer.writeUInt8(midTail)
        writer.write(descriptors)
        writer.writeOptional(renumbering)
    }
}
