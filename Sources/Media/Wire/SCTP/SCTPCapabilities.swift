/// The optional parts of SCTP that an endpoint announces in INIT and INIT ACK.
struct SCTPCapabilities: OptionSet, Hashable, Sendable {
    var rawValue: UInt8

    /// FORWARD-TSN (RFC 3758).
    static let partialReliability = SCTPCapabilities(rawValue: 1)
    /// RE-CONFIG (RFC 6525).
    static let reconfiguration = SCTPCapabilities(rawValue: 2)
    /// I-DATA and I-FORWARD-TSN (RFC 8260).
    static let interleaving = SCTPCapabilities(rawValue: 4)
    /// Packets without a checksum, since DTLS has one (RFC 9653).
    static let zeroChecksum = SCTPCapabilities(rawValue: 8)

    /// RFC 9653 §6: the method "SCTP over DTLS".
    static let checksumByDTLS: UInt32 = 1
}
