/// A packet as its stream has placed it.
struct IncomingPacket: Equatable {
    /// The extended sequence number.
    var sequence: UInt64
    /// Whether it came as a retransmission.
    var isRecovered: Bool
    var isKeyFrame: Bool
    var layers: PacketLayers
}
