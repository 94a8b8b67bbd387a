/// What one shard says to another, and its bytes: today in a ring between two threads, later in a pipe between two machines.
///
/// A message is a head of eight bytes (kind, version, six that depend on the kind), then fields of fixed width at fixed
/// offsets, little-endian; all lengths are multiples of eight but for those of packets. Instants are those of one machine's
/// monotonic clock.
// Safe: `encode` writes `encodedLength` bytes, and `init(decoding:)` reads a field only after the length was checked; the
// bytes a decoded packet names are those it was decoded from.
@safe enum ShardMessage {
    /// A packet of a producer, for the consumers on the other shard.
    case packet(PreparedPacket, template: UnsafeRawBufferPointer, payload: UnsafeRawBufferPointer)
    /// A packet that was received so many milliseconds ago, before the shard had consumers: to keep, not to forward.
    case cachedPacket(
        PreparedPacket, template: UnsafeRawBufferPointer, payload: UnsafeRawBufferPointer, age: UInt32)
    /// No cached packets follow. A bit for each encoding of which a whole group of pictures came.
    case cachedPacketsEnd(producer: UInt64, completeEncodings: UInt64)
    /// A consumer needs a key frame, or still does.
    case keyFrameRequest(producer: UInt64, encoding: Int, KeyFrameRequester.Urgency, isRenewal: Bool)
    /// Since when an encoding is sent, its score and its newest sender report.
    case encodingAdvanced(producer: UInt64, encoding: Int, SourceEncodings.Encoding)
    /// An encoding's stream ended, or restarted with other numbers.
    case encodingRestarted(producer: UInt64, encoding: Int)
    /// What a consumer of an audio producer loses, in 256ths.
    case consumerLoss(producer: UInt64, fraction: UInt8)
    /// A datagram of one of the other shard's clients, where all shards share a port.
    case datagram(UnsafeRawBufferPointer, from: IPAddressPort, to: IPAddressPort)
    /// A client's address pair belongs to a transport of the sender's.
    case tupleClaimed(from: IPAddressPort, to: IPAddressPort, owner: UInt64)

    /// A change of the format that an older version would misread raises it.
    static let version: UInt8 = 1

    private enum Kind: UInt8 {
        case packet = 1
        case cachedPacket = 2
        case cachedPacketsEnd = 3
        case keyFrameRequest = 4
        case encodingAdvanced = 5
        case encodingRestarted = 6
        case consumerLoss = 7
        case datagram = 8
        case tupleClaimed = 9
    }

    private static let headLength = 8
    private static let encodingStateLength = 48
    private static let addressPairLength = 40

    /// The bytes that `encode` writes.
    var encodedLength: Int {
        switch self {
        case .packet(let packet, _, _), .cachedPacket(let packet, _, _, _):
            Self.headLength + packet.encodedLength
        case .cachedPacketsEnd: Self.headLength + 16
        case .keyFrameRequest, .encodingRestarted, .consumerLoss: Self.headLength + 8
        case .encodingAdvanced: Self.headLength + 8 + Self.encodingStateLength
        case .datagram(let bytes, _, _): Self.headLength + Self.addressPairLength + bytes.count
        case .tupleClaimed: Self.headLength + Self.addressPairLength + 8
        }
    }

    /// - Parameter memory: `encodedLength` writable bytes.
    func encode(to memory: UnsafeMutableRawPointer) {
        func head(_ kind: Kind, encoding: Int = 0, detail: UInt8 = 0, flag: Bool = false, number: UInt32 = 0) {
            unsafe memory.store(kind.rawValue, at: 0)
            unsafe memory.store(Self.version, at: 1)
            unsafe memory.store(UInt8(truncatingIfNeeded: encoding) | (flag ? 0x80 : 0), at: 2)
            unsafe memory.store(detail, at: 3)
            unsafe memory.store(number, at: 4)
        }
        switch self {
        case .packet(let packet, let template, let payload):
            head(.packet)
            unsafe packet.encode(template: template, payload: payload, to: memory + Self.headLength)
        case .cachedPacket(let packet, let template, let payload, let age):
            head(.cachedPacket, number: age)
            unsafe packet.encode(template: template, payload: payload, to: memory + Self.headLength)
        case .cachedPacketsEnd(let producer, let complete):
            head(.cachedPacketsEnd)
            unsafe memory.store(producer, at: 8)
            unsafe memory.store(complete, at: 16)
        case .keyFrameRequest(let producer, let encoding, let need, let isRenewal):
            head(.keyFrameRequest, encoding: encoding, detail: need.wireNumber, flag: isRenewal)
            unsafe memory.store(producer, at: 8)
        case .encodingAdvanced(let producer, let encoding, let state):
            head(.encodingAdvanced, encoding: encoding)
            unsafe memory.store(producer, at: 8)
            unsafe state.encode(to: memory + 16)
        case .encodingRestarted(let producer, let encoding):
            head(.encodingRestarted, encoding: encoding)
            unsafe memory.store(producer, at: 8)
        case .consumerLoss(let producer, let fraction):
            head(.consumerLoss, detail: fraction)
            unsafe memory.store(producer, at: 8)
        case .datagram(let bytes, let remote, let local):
            head(.datagram, number: UInt32(truncatingIfNeeded: bytes.count))
            unsafe Self.encode(remote, local, to: memory + Self.headLength)
            unsafe (memory + Self.headLength + Self.addressPairLength).copyMemory(
                from: bytes.baseAddress ?? UnsafeRawPointer(memory), byteCount: bytes.count)
        case .tupleClaimed(let remote, let local, let owner):
            head(.tupleClaimed)
            unsafe Self.encode(remote, local, to: memory + Self.headLength)
            unsafe memory.store(owner, at: Self.headLength + Self.addressPairLength)
        }
    }

    /// - Parameter bytes: a message, and nothing behind it.
    /// - Returns: `nil` for a kind or version that is not known, or fewer bytes than the message says.
    init?(decoding bytes: UnsafeRawBufferPointer) {
        guard bytes.count >= Self.headLength + 8, unsafe bytes[1] == Self.version,
            let kind = unsafe Kind(rawValue: bytes[0])
        else {
            return nil
        }
        let encoding = unsafe Int(bytes[2] & 0x7F)
        let detail = unsafe bytes[3]
        switch kind {
        case .packet, .cachedPacket:
            let body = unsafe UnsafeRawBufferPointer(rebasing: bytes[Self.headLength...])
            guard let (packet, template, payload) = unsafe PreparedPacket.decode(body) else { return nil }
            self =
                unsafe kind == .packet
                ? .packet(packet, template: template, payload: payload)
                : .cachedPacket(packet, template: template, payload: payload, age: bytes.load32(4))
        case .cachedPacketsEnd:
            guard bytes.count >= 24 else { return nil }
            self = unsafe .cachedPacketsEnd(producer: bytes.load64(8), completeEncodings: bytes.load64(16))
        case .keyFrameRequest:
            guard let need = KeyFrameRequester.Urgency(wireNumber: detail) else { return nil }
            self = unsafe .keyFrameRequest(
                producer: bytes.load64(8), encoding: encoding, need, isRenewal: bytes[2] & 0x80 != 0)
        case .encodingAdvanced:
            guard bytes.count >= 16 + Self.encodingStateLength else { return nil }
            let state = unsafe SourceEncodings.Encoding(decoding: UnsafeRawBufferPointer(rebasing: bytes[16...]))
            self = unsafe .encodingAdvanced(producer: bytes.load64(8), encoding: encoding, state)
        case .encodingRestarted: self = unsafe .encodingRestarted(producer: bytes.load64(8), encoding: encoding)
        case .consumerLoss: self = unsafe .consumerLoss(producer: bytes.load64(8), fraction: detail)
        case .datagram, .tupleClaimed:
            let start = Self.headLength + Self.addressPairLength
            let length = unsafe kind == .tupleClaimed ? 8 : Int(bytes.load32(4))
            guard bytes.count - start >= length else { return nil }
            let remote = unsafe Self.address(bytes, at: Self.headLength, port: 40, family: 44)
            let local = unsafe Self.address(bytes, at: Self.headLength + 16, port: 42, family: 45)
            self =
                unsafe kind == .tupleClaimed
                ? .tupleClaimed(from: remote, to: local, owner: bytes.load64(start))
                : .datagram(
                    UnsafeRawBufferPointer(rebasing: bytes[start..<start + length]), from: remote, to: local)
        }
    }

    /// Both addresses, then both ports, then both families.
    private static func encode(_ remote: IPAddressPort, _ local: IPAddressPort, to memory: UnsafeMutableRawPointer) {
        unsafe memory.store(remote.high, at: 0)
        unsafe memory.store(remote.low, at: 8)
        unsafe memory.store(local.high, at: 16)
        unsafe memory.store(local.low, at: 24)
        unsafe memory.store(remote.port, at: 32)
        unsafe memory.store(local.port, at: 34)
        unsafe memory.store(remote.family.rawValue, at: 36)
        unsafe memory.store(local.family.rawValue, at: 37)
        unsafe memory.store(UInt16(0), at: 38)
    }

    private static func address(
        _ bytes: UnsafeRawBufferPointer, at offset: Int, port: Int, family: Int
    ) -> IPAddressPort {
        let (high, low) = unsafe (bytes.load64(offset), bytes.load64(offset + 8))
        let port = unsafe bytes.load16(port)
        return unsafe bytes[family] == IPAddressPort.Family.ipv4.rawValue
            ? IPAddressPort(ipv4: UInt32(truncatingIfNeeded: low), port: port)
            : IPAddressPort(ipv6High: high, low: low, port: port)
    }
}

// MARK: - A packet, in a message or in a retransmission buffer

extension PreparedPacket {
    /// Fields of fixed width; then the header template, then the payload.
    static let metadataLength = 56

    /// The bytes that `encode` writes.
    var encodedLength: Int { Self.metadataLength + Int(headerLength) + Int(payloadLength) }

    private static let keyFrameFlag: UInt8 = 1
    private static let paddingOnlyFlag: UInt8 = 2

    /// - Parameter memory: `encodedLength` writable bytes.
    func encode(template: UnsafeRawBufferPointer, payload: UnsafeRawBufferPointer, to memory: UnsafeMutableRawPointer) {
        assert(template.count == Int(headerLength) && payload.count == Int(payloadLength))
        unsafe memory.store(producer, at: 0)
        unsafe memory.store(sequence, at: 8)
        unsafe memory.store(layers.neededBy, at: 16)
        unsafe memory.store(layers.switchTo, at: 24)
        unsafe memory.store(timestamp, at: 32)
        unsafe memory.store(headerLength, at: 36)
        unsafe memory.store(payloadLength, at: 38)
        unsafe memory.store(layers.pictureID, at: 40)
        unsafe memory.store(layers.flags.rawValue, at: 42)
        unsafe memory.store(layers.spatialLayer, at: 44)
        unsafe memory.store(layers.temporalLayer, at: 45)
        unsafe memory.store(layers.highestSpatialLayer, at: 46)
        unsafe memory.store(layers.tl0PictureIndex, at: 47)
        unsafe memory.store(layers.pictureIDOffset, at: 48)
        unsafe memory.store(layers.tl0PictureIndexOffset, at: 49)
        unsafe memory.store(paddingLength, at: 50)
        unsafe memory.store(encoding, at: 51)
        unsafe memory.store(payloadType, at: 52)
        unsafe memory.store(codec.wireNumber, at: 53)
        unsafe memory.store((isKeyFrame ? Self.keyFrameFlag : 0) | (isPaddingOnly ? Self.paddingOnlyFlag : 0), at: 54)
        unsafe memory.store(UInt8(0), at: 55)
        unsafe (memory + Self.metadataLength).copyMemory(
            from: template.baseAddress ?? UnsafeRawPointer(memory), byteCount: template.count)
        unsafe (memory + Self.metadataLength + template.count).copyMemory(
            from: payload.baseAddress ?? UnsafeRawPointer(memory), byteCount: payload.count)
    }

    /// - Returns: the packet with the bytes of its template and payload, which lie in `bytes`; `nil` when it does not end
    ///   within them or is of a codec that is not known.
    static func decode(
        _ bytes: UnsafeRawBufferPointer
    ) -> (packet: PreparedPacket, template: UnsafeRawBufferPointer, payload: UnsafeRawBufferPointer)? {
        guard bytes.count >= metadataLength, let codec = unsafe CodecKind(wireNumber: bytes[53]) else { return nil }
        var packet = unsafe PreparedPacket(
            producer: bytes.load64(0), sequence: bytes.load64(8), timestamp: bytes.load32(32),
            headerLength: bytes.load16(36), payloadLength: bytes.load16(38), paddingLength: bytes[50],
            encoding: bytes[51], payloadType: bytes[52], codec: codec, isKeyFrame: bytes[54] & keyFrameFlag != 0,
            isPaddingOnly: bytes[54] & paddingOnlyFlag != 0)
        packet.layers.neededBy = unsafe bytes.load64(16)
        packet.layers.switchTo = unsafe bytes.load64(24)
        packet.layers.pictureID = unsafe bytes.load16(40)
        packet.layers.flags = unsafe PacketLayers.Flags(rawValue: bytes.load16(42))
        packet.layers.spatialLayer = unsafe bytes[44]
        packet.layers.temporalLayer = unsafe bytes[45]
        packet.layers.highestSpatialLayer = unsafe bytes[46]
        packet.layers.tl0PictureIndex = unsafe bytes[47]
        packet.layers.pictureIDOffset = unsafe bytes[48]
        packet.layers.tl0PictureIndexOffset = unsafe bytes[49]
        guard bytes.count >= packet.encodedLength else { return nil }
        let payloadStart = metadataLength + Int(packet.headerLength)
        return unsafe (
            packet, UnsafeRawBufferPointer(rebasing: bytes[metadataLength..<payloadStart]),
            UnsafeRawBufferPointer(rebasing: bytes[payloadStart..<packet.encodedLength])
        )
    }
}

extension KeyFrameRequester.Urgency {
    fileprivate var wireNumber: UInt8 {
        switch self {
        case .change: 1
        case .joining: 2
        }
    }

    fileprivate init?(wireNumber: UInt8) {
        switch wireNumber {
        case 1: self = .change
        case 2: self = .joining
        default: return nil
        }
    }
}

extension SourceEncodings.Encoding {
    private static let packetFlag: UInt8 = 1
    private static let reportFlag: UInt8 = 2

    fileprivate func encode(to memory: UnsafeMutableRawPointer) {
        unsafe memory.store((lastPacketAt == nil ? 0 : Self.packetFlag) | (report == nil ? 0 : Self.reportFlag), at: 0)
        unsafe memory.store(score, at: 1)
        unsafe memory.store(UInt16(0), at: 2)
        unsafe memory.store(report?.rtpTimestamp ?? 0, at: 4)
        unsafe memory.store(lastPacketAt?.nanoseconds ?? 0, at: 8)
        unsafe memory.store(activeSince.nanoseconds, at: 16)
        unsafe memory.store(report?.ntp ?? 0, at: 24)
        unsafe memory.store(report?.arrival.nanoseconds ?? 0, at: 32)
        unsafe memory.store(report?.takenAt.nanoseconds ?? 0, at: 40)
    }

    fileprivate init(decoding bytes: UnsafeRawBufferPointer) {
        self.init()
        score = unsafe bytes[1]
        activeSince = unsafe MediaInstant(nanoseconds: bytes.load64(16))
        if unsafe bytes[0] & Self.packetFlag != 0 { lastPacketAt = unsafe MediaInstant(nanoseconds: bytes.load64(8)) }
        if unsafe bytes[0] & Self.reportFlag != 0 {
            report = unsafe SenderReportInfo(
                ntp: bytes.load64(24), rtpTimestamp: bytes.load32(4),
                arrival: MediaInstant(nanoseconds: bytes.load64(32)),
                takenAt: MediaInstant(nanoseconds: bytes.load64(40)))
        }
    }
}

// MARK: - Little-endian fields

extension UnsafeMutableRawPointer {
    fileprivate func store(_ value: UInt8, at offset: Int) {
        unsafe storeBytes(of: value, toByteOffset: offset, as: UInt8.self)
    }
    fileprivate func store(_ value: UInt16, at offset: Int) {
        unsafe storeBytes(of: value.littleEndian, toByteOffset: offset, as: UInt16.self)
    }
    fileprivate func store(_ value: UInt32, at offset: Int) {
        unsafe storeBytes(of: value.littleEndian, toByteOffset: offset, as: UInt32.self)
    }
    fileprivate func store(_ value: UInt64, at offset: Int) {
        unsafe storeBytes(of: value.littleEndian, toByteOffset: offset, as: UInt64.self)
    }
}

extension UnsafeRawBufferPointer {
    fileprivate func load16(_ offset: Int) -> UInt16 {
        unsafe UInt16(littleEndian: loadUnaligned(fromByteOffset: offset, as: UInt16.self))
    }
    fileprivate func load32(_ offset: Int) -> UInt32 {
        unsafe UInt32(littleEndian: loadUnaligned(fromByteOffset: offset, as: UInt32.self))
    }
    fileprivate func load64(_ offset: Int) -> UInt64 {
        unsafe UInt64(littleEndian: loadUnaligned(fromByteOffset: offset, as: UInt64.self))
    }
}
