// The values that commands and events share with machines, as a snapshot has them.

extension CodecKind: Restorable {
    init(restoring reader: inout SnapshotReader) throws(WireError) {
        guard let codec = CodecKind(wireNumber: try reader.readUInt8()) else { throw .malformed }
        self = codec
    }

    func write(to writer: inout SnapshotWriter) { writer.writeUInt8(wireNumber) }
}

extension ConsumerLayers: Restorable {
    init(restoring reader: inout SnapshotReader) throws(WireError) {
        let spatial = try reader.readUInt8()
        self.init(spatial: spatial, temporal: try reader.readUInt8())
    }

    func write(to writer: inout SnapshotWriter) {
        writer.writeUInt8(spatial)
        writer.writeUInt8(temporal)
    }
}

extension TransportTraffic: Restorable {
    init(restoring reader: inout SnapshotReader) throws(WireError) {
        self.init()
        received = try reader.read()
        sent = try reader.read()
        rtpReceived = try reader.read()
        rtpSent = try reader.read()
        rtxReceived = try reader.read()
        rtxSent = try reader.read()
        probationSent = try reader.read()
    }

    func write(to writer: inout SnapshotWriter) {
        for bytes in [received, sent, rtpReceived, rtpSent, rtxReceived, rtxSent, probationSent] { writer.write(bytes) }
    }
}

extension TransportWarning.Kind: Restorable {
    init(restoring reader: inout SnapshotReader) throws(WireError) {
        switch try reader.readUInt8() {
        case 1: self = .nothingReceived
        case 2: self = .unmatchedPackets
        case 3: self = .unknownPayloadType
        case 4: self = .undecryptablePackets
        case 5: self = .foreignPackets
        case 6: self = .noKeyFrame
        case 7: self = .destinationNotAllowed
        case 8: self = .largePackets
        case 9: self = .unhelpfulKeyFrames
        default: throw .malformed
        }
    }

    func write(to writer: inout SnapshotWriter) {
        switch self {
        case .nothingReceived: writer.writeUInt8(1)
        case .unmatchedPackets: writer.writeUInt8(2)
        case .unknownPayloadType: writer.writeUInt8(3)
        case .undecryptablePackets: writer.writeUInt8(4)
        case .foreignPackets: writer.writeUInt8(5)
        case .noKeyFrame: writer.writeUInt8(6)
        case .destinationNotAllowed: writer.writeUInt8(7)
        case .largePackets: writer.writeUInt8(8)
        case .unhelpfulKeyFrames: writer.writeUInt8(9)
        }
    }
}
