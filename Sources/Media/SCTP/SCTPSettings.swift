/// What an association is made with.
struct SCTPSettings: Hashable, Sendable {
    /// What clients announce as `a=sctp-port` (RFC 8841).
    var localPort: UInt16 = 5000
    var remotePort: UInt16 = 5000
    /// The longest packet that is sent, in bytes, 256…16,384; brought down to a multiple of four. 1,191 bytes, the
    /// browsers' choice, fill the smallest path of IPv6 with DTLS, TURN and IPv6 headers around them.
    var packetLength: UInt16 = 1191
    /// How much may be held that cannot be delivered yet, in bytes.
    var receiveWindow: UInt32 = 1 << 20
    /// A longer message is thrown away when it arrives; a longer one of ours is refused.
    var largestReceivedMessage: UInt32 = 262_144
    var largestSentMessage: UInt32 = 262_144
    /// How much may wait to be sent, in bytes: in all, and on one stream.
    var sendBuffer: UInt32 = 2_000_000
    var streamSendBuffer: UInt32 = 2_000_000
    /// What is asked for; the peer may take fewer.
    var outgoingStreams: UInt16 = 65_535
    var incomingStreams: UInt16 = 65_535
    var capabilities: SCTPCapabilities = [.partialReliability, .reconfiguration]
    /// Nothing ends an association while ICE's consent holds, unless there is a number of times here that a packet is
    /// repeated in vain.
    var largestErrorCount: UInt16?
    /// The longest time between two repetitions of a packet: after a path's outage one waits so long at most.
    var longestBackOff = MediaDuration.seconds(3)
    var heartbeatInterval = MediaDuration.seconds(30)

    /// The longest packet, as a multiple of four.
    var maximumPacket: Int { Int(min(max(packetLength, 256), 16_384)) & ~3 }
    /// The longest DATA chunk.
    var maximumChunk: Int { maximumPacket - SCTPPacketReader.headerLength }
}

extension SCTPSettings: Restorable {
    init(restoring reader: inout SnapshotReader) throws(WireError) {
        localPort = try reader.readUInt16()
        remotePort = try reader.readUInt16()
        packetLength = try reader.readUInt16()
        receiveWindow = try reader.read(in: 0...1 << 30)
        largestReceivedMessage = try reader.read(in: 0...1 << 30)
        largestSentMessage = try reader.read(in: 0...1 << 30)
        sendBuffer = try reader.read(in: 0...1 << 30)
        streamSendBuffer = try reader.read(in: 0...1 << 30)
        outgoingStreams = try reader.readUInt16()
        incomingStreams = try reader.readUInt16()
        capabilities = SCTPCapabilities(rawValue: try reader.readUInt8())
        largestErrorCount = try reader.readOptional()
        longestBackOff = try reader.read(in: .zero ... .seconds(3600))
        heartbeatInterval = try reader.read(in: .zero ... .seconds(3600))
    }

    func write(to writer: inout SnapshotWriter) {
        for value in [localPort, remotePort, packetLength] { writer.writeUInt16(value) }
        for value in [receiveWindow, largestReceivedMessage, largestSentMessage, sendBuffer, streamSendBuffer] {
            writer.writeUInt32(value)
        }
        writer.writeUInt16(outgoingStreams)
        writer.writeUInt16(incomingStreams)
        writer.writeUInt8(capabilities.rawValue)
        writer.writeOptional(largestErrorCount)
        writer.write(longestBackOff)
        writer.write(heartbeatInterval)
    }
}
