// What rooms set up, as a snapshot has it.

extension HeaderExtensionIDs: Restorable {
    init(restoring reader: inout SnapshotReader) throws(WireError) {
        self.init()
        for _ in 0..<(try reader.readCount(atMost: HeaderExtension.allCases.count)) {
            guard let ext = HeaderExtension(rawValue: try reader.readUInt8()) else { throw .malformed }
            self[ext] = try reader.readUInt8()
        }
    }

    func write(to writer: inout SnapshotWriter) {
        let negotiated = HeaderExtension.allCases.filter { self[$0] != 0 }
        writer.writeCount(negotiated.count)
        for ext in negotiated {
            writer.writeUInt8(ext.rawValue)
            writer.writeUInt8(self[ext])
        }
    }
}

extension MediaKind: Restorable {
    init(restoring reader: inout SnapshotReader) throws(WireError) {
        switch try reader.readUInt8() {
        case 1: self = .audio
        case 2: self = .video
        default: throw .malformed
        }
    }

    func write(to writer: inout SnapshotWriter) { writer.writeUInt8(self == .audio ? 1 : 2) }
}

extension ScalabilitySettings: Restorable {
    init(restoring reader: inout SnapshotReader) throws(WireError) {
        let spatial: UInt8 = try reader.read(in: 1...8)
        let temporal: UInt8 = try reader.read(in: 1...8)
        self.init(spatialLayers: Int(spatial), temporalLayers: Int(temporal))
        isKSVC = try reader.read()
        usesDTX = try reader.read()
    }

    func write(to writer: inout SnapshotWriter) {
        writer.writeUInt8(UInt8(clamping: min(max(spatialLayers, 1), 8)))
        writer.writeUInt8(UInt8(clamping: min(max(temporalLayers, 1), 8)))
        writer.write(isKSVC)
        writer.write(usesDTX)
    }
}

extension ProducerCodec: Restorable {
    init(restoring reader: inout SnapshotReader) throws(WireError) {
        let codec: CodecKind = try reader.read()
        let clockRate: UInt32 = try reader.read(in: 1...UInt32.max)
        let payloadType = try reader.readUInt8()
        self.init(
            codec: codec, clockRate: clockRate, payloadType: payloadType, mappedPayloadType: try reader.readUInt8(),
            rtxPayloadType: try reader.readOptional(), mappedRTXPayloadType: try reader.readOptional(),
            feedback: FeedbackSupport(rawValue: try reader.readUInt8()))
        usesInBandFEC = try reader.read()
    }

    func write(to writer: inout SnapshotWriter) {
        writer.write(codec)
        writer.write(max(clockRate, 1))
        writer.writeUInt8(payloadType)
        writer.writeUInt8(mappedPayloadType)
        writer.writeOptional(rtxPayloadType)
        writer.writeOptional(mappedRTXPayloadType)
        writer.writeUInt8(feedback.rawValue)
        writer.write(usesInBandFEC)
    }
}

extension ProducerEncoding: Restorable {
    init(restoring reader: inout SnapshotReader) throws(WireError) {
        let ssrc: SSRC? = try reader.readOptional()
        let rtxSSRC: SSRC? = try reader.readOptional()
        let hasRID: Bool = try reader.read()
        let rid = hasRID ? try reader.readText(atMost: 255) : nil
        self.init(ssrc: ssrc, rtxSSRC: rtxSSRC, rid: rid, mappedSSRC: try reader.read())
    }

    func write(to writer: inout SnapshotWriter) {
        writer.writeOptional(ssrc)
        writer.writeOptional(rtxSSRC)
        writer.write(rid != nil)
        if let rid { writer.writeText(rid) }
        writer.write(mappedSSRC)
    }
}

extension ProducerSettings: Restorable {
    /// Of names: no client may give longer ones.
    private static let longestText = 1024

    init(restoring reader: inout SnapshotReader) throws(WireError) {
        let kind: MediaKind = try reader.read()
        let hasMID: Bool = try reader.read()
        let mid = hasMID ? try reader.readText(atMost: Self.longestText) : nil
        let cname = try reader.readText(atMost: Self.longestText)
        var codecs: [ProducerCodec] = []
        for _ in 0..<(try reader.readCount(atMost: 128)) { codecs.append(try reader.read()) }
        var encodings: [ProducerEncoding] = []
        for _ in 0..<(try reader.readCount(atMost: SourceEncodings.capacity)) { encodings.append(try reader.read()) }
        guard !codecs.isEmpty, !encodings.isEmpty else { throw .malformed }
        self.init(
            kind: kind, mid: mid, cname: cname, codecs: codecs, encodings: encodings,
            headerExtensions: try reader.read())
        isPaused = try reader.read()
        keyFrameRequestDelay = try reader.read()
        scalability = try reader.read()
    }

    func write(to writer: inout SnapshotWriter) {
        writer.write(kind)
        writer.write(mid != nil)
        if let mid { writer.writeText(mid) }
        writer.writeText(cname)
        writer.writeCount(codecs.count)
        for codec in codecs { writer.write(codec) }
        writer.writeCount(encodings.count)
        for encoding in encodings { writer.write(encoding) }
        writer.write(headerExtensions)
        writer.write(isPaused)
        writer.write(keyFrameRequestDelay)
        writer.write(scalability)
    }
}

extension ConsumerCodec: Restorable {
    init(restoring reader: inout SnapshotReader) throws(WireError) {
        let codec: CodecKind = try reader.read()
        let clockRate: UInt32 = try reader.read(in: 1...UInt32.max)
        let payloadType = try reader.readUInt8()
        self.init(
            codec: codec, clockRate: clockRate, payloadType: payloadType, rtxPayloadType: try reader.readOptional(),
            feedback: FeedbackSupport(rawValue: try reader.readUInt8()))
    }

    func write(to writer: inout SnapshotWriter) {
        writer.write(codec)
        writer.write(max(clockRate, 1))
        writer.writeUInt8(payloadType)
        writer.writeOptional(rtxPayloadType)
        writer.writeUInt8(feedback.rawValue)
    }
}

extension TraceKinds: Restorable {
    init(restoring reader: inout SnapshotReader) throws(WireError) { self.init(rawValue: try reader.readUInt8()) }

    func write(to writer: inout SnapshotWriter) { writer.writeUInt8(rawValue) }
}

extension IPAddressPort: Restorable {
    init(restoring reader: inout SnapshotReader) throws(WireError) {
        let isIPv6: Bool = try reader.read()
        let port = try reader.readUInt16()
        if isIPv6 {
            let high = try reader.readUInt64()
            self.init(ipv6High: high, low: try reader.readUInt64(), port: port)
        } else {
            self.init(ipv4: try reader.readUInt32(), port: port)
        }
    }

    func write(to writer: inout SnapshotWriter) {
        writer.write(family == .ipv6)
        writer.writeUInt16(port)
        switch family {
        case .ipv4: writer.writeUInt32(ipv4)
        case .ipv6:
            writer.writeUInt64(high)
            writer.writeUInt64(low)
        }
    }
}

extension PlainDestinations: Restorable {
    init(restoring reader: inout SnapshotReader) throws(WireError) {
        var ranges: [IPAddressRange] = []
        for _ in 0..<(try reader.readCount(atMost: 4096)) {
            guard let range = IPAddressRange(try reader.readText(atMost: 64)) else { throw .malformed }
            ranges.append(range)
        }
        let requester: IPAddressPort? = try reader.readOptional()
        var own: [IPAddressPort] = []
        for _ in 0..<(try reader.readCount(atMost: 4096)) { own.append(try reader.read()) }
        self.init(ranges: ranges, requester: requester, own: own)
    }

    func write(to writer: inout SnapshotWriter) {
        writer.writeCount(ranges.count)
        for range in ranges { writer.writeText(range.description) }
        writer.writeOptional(requester)
        writer.writeCount(own.count)
        for address in own { writer.write(address) }
    }
}
