/// One chunk of a packet, in place.
///
/// It refers to the packet's buffer and must not outlive it.
@safe struct SCTPChunkView {
    static let headerLength = 4

    let type: SCTPChunkType
    let flags: UInt8
    /// What follows the chunk's header, without padding.
    let value: UnsafeRawBufferPointer

    /// The T bit of ABORT and SHUTDOWN COMPLETE: the tag is the receiver's own, reflected (RFC 9260 §8.5.1).
    static let reflectedTag: UInt8 = 0x01
}
