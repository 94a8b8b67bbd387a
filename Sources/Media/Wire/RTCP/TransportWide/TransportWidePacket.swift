/// What a feedback says of one packet.
struct TransportWidePacket: Hashable, Sendable {
    let sequenceNumber: SequenceNumber
    /// When it arrived after the reference time, in ticks of 250 µs; negative where it came before; `nil`: it did not.
    let arrival: Int?
}
