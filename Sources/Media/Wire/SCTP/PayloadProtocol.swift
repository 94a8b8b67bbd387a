/// The payload protocol identifier of a message (RFC 8831 §8): what its bytes are.
struct PayloadProtocol: RawRepresentable, Hashable, Sendable {
    var rawValue: UInt32

    init(rawValue: UInt32) { self.rawValue = rawValue }

    /// The Data Channel Establishment Protocol (RFC 8832).
    static let control = PayloadProtocol(rawValue: 50)
    static let string = PayloadProtocol(rawValue: 51)
    static let binaryPartial = PayloadProtocol(rawValue: 52)
    static let binary = PayloadProtocol(rawValue: 53)
    static let stringPartial = PayloadProtocol(rawValue: 54)
    /// SCTP cannot carry nothing: a message without bytes has one that does not count.
    static let stringEmpty = PayloadProtocol(rawValue: 56)
    static let binaryEmpty = PayloadProtocol(rawValue: 57)

    var isEmpty: Bool { self == .stringEmpty || self == .binaryEmpty }
}

extension PayloadProtocol: Restorable {
    init(restoring reader: inout SnapshotReader) throws(WireError) { self.init(rawValue: try reader.readUInt32()) }

    func write(to writer: inout SnapshotWriter) { writer.writeUInt32(rawValue) }
}
