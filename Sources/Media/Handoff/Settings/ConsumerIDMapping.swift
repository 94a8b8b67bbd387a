/// The numbers a client chose itself, where it does not take the router's: an offer's, which an answer has to keep
/// (RFC 3264 §6.1).
public struct ConsumerIDMapping: Sendable, Hashable {
    /// The router's payload type to the client's, RTX too; others stay.
    public var payloadTypes: [UInt8: UInt8]
    /// The client's extension ids, 1…14; extensions with zero are left out of its packets.
    public var headerExtensions: HeaderExtensionIDs

    /// A numbering.
    public init(payloadTypes: [UInt8: UInt8], headerExtensions: HeaderExtensionIDs) {
        self.payloadTypes = payloadTypes
        self.headerExtensions = headerExtensions
    }
}
