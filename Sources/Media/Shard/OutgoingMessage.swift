// Safe: a message names memory of the shard's batcher, which stays as it is until `send` has returned.

/// Datagrams for one destination that the system may take in one call (UDP_SEGMENT).
@safe struct OutgoingMessage {
    var destination: IPAddressPort
    /// The datagrams: all but the last have `segmentSize` bytes, and the last has no more.
    var datagrams: UnsafeBufferPointer<UnsafeRawBufferPointer>
    var segmentSize: Int
}
