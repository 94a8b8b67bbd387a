/// The two forms of RTP header extension elements.
enum RTPExtensionForm: Sendable, Hashable {
    /// Ids 1…14, values of 1…16 bytes (RFC 8285 §4.2).
    case oneByte
    /// Ids 1…255, values of 0…255 bytes (RFC 8285 §4.3).
    case twoByte

    static let oneByteProfile: UInt16 = 0xBEDE
    /// The low four bits are the application's.
    static let twoByteProfile: UInt16 = 0x1000

    var profile: UInt16 { self == .oneByte ? Self.oneByteProfile : Self.twoByteProfile }
}
