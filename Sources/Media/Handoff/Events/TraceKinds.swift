/// The kinds of `trace` events, with mediasoup's names.
public struct TraceKinds: OptionSet, Sendable, Hashable {
    /// One bit for each kind.
    public let rawValue: UInt8
    /// Kinds by their bits.
    public init(rawValue: UInt8) { self.rawValue = rawValue }
    /// Every RTP packet.
    public static let rtp = TraceKinds(rawValue: 1)
    /// Packets that begin a key frame.
    public static let keyFrame = TraceKinds(rawValue: 2)
    /// Negative acknowledgements (RFC 4585).
    public static let nack = TraceKinds(rawValue: 4)
    /// Picture loss indications (RFC 4585).
    public static let pli = TraceKinds(rawValue: 8)
    /// Full intra requests (RFC 5104).
    public static let fir = TraceKinds(rawValue: 16)
    /// Sender reports (RFC 3550 §6.4.1).
    public static let sr = TraceKinds(rawValue: 32)
}
