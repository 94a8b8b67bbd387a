// Safe: the buffer is read through `ByteReader`, within the call that lends it.

/// DATA_CHANNEL_OPEN (RFC 8832 §5.1): how a channel behaves, and its name.
struct DataChannelOpen: Hashable, Sendable {
    static let messageType: UInt8 = 0x03
    private static let unordered: UInt8 = 0x80

    /// How long a message is tried.
    var reliability: SCTPReliability
    var isOrdered: Bool
    /// 128 below normal, 256 normal, 512 high, 1024 extra high (RFC 8831 §6.4).
    var priority: UInt16
    /// At most 65,535 bytes of UTF-8 each.
    var label: String
    var subprotocol: String

    init(
        label: String, subprotocol: String = "", isOrdered: Bool = true, reliability: SCTPReliability = .reliable,
        priority: UInt16 = 256
    ) {
        self.label = label
        self.subprotocol = subprotocol
        self.isOrdered = isOrdered
        self.reliability = reliability
        self.priority = priority
    }

    /// - Throws: `truncated`; `unexpectedType` for another message; `malformed` for an unknown kind of channel, text that
    ///   is not UTF-8, or bytes behind the end.
    init(parsing message: [UInt8]) throws(WireError) {
        self = try unsafe message.span.withUnsafeBytes { (buffer) throws(WireError) in
            var reader = unsafe ByteReader(buffer)
            return try DataChannelOpen(from: &reader)
        }
    }

    private init(from reader: inout ByteReader) throws(WireError) {
        guard try reader.readUInt8() == Self.messageType else { throw .unexpectedType }
        let kind = try reader.readUInt8()
        priority = try reader.readUInt16()
        let parameter = try reader.readUInt32()
        let labelLength = Int(try reader.readUInt16())
        let protocolLength = Int(try reader.readUInt16())
        isOrdered = kind & Self.unordered == 0
        switch kind & ~Self.unordered {
        case 0: reliability = .reliable
        case 1: reliability = .retransmissions(UInt16(clamping: parameter))
        case 2: reliability = .lifetime(.milliseconds(Int(parameter)))
        default: throw .malformed
        }
        label = try Self.text(labelLength, &reader)
        subprotocol = try Self.text(protocolLength, &reader)
        guard reader.remaining == 0 else { throw .malformed }
    }

    private static func text(_ length: Int, _ reader: inout ByteReader) throws(WireError) -> String {
        guard let text = unsafe String(validating: try reader.readBytes(length), as: UTF8.self) else {
            throw .malformed
        }
        return text
    }

    /// The message; texts that are too long are cut off, which nobody asks for.
    var bytes: [UInt8] {
        let label = Array(label.utf8.prefix(0xFFFF))
        let subprotocol = Array(subprotocol.utf8.prefix(0xFFFF))
        let (kind, parameter): (UInt8, UInt32) =
            switch reliability {
            case .reliable: (0, 0)
            case .retransmissions(let count): (1, UInt32(count))
            case .lifetime(let duration): (2, UInt32(clamping: duration.milliseconds))
            }
        var bytes: [UInt8] = [Self.messageType, isOrdered ? kind : kind | Self.unordered]
        func append(_ value: UInt32, _ count: Int) {
            for shift in (0..<count).reversed() { bytes.append(UInt8(truncatingIfNeeded: value >> UInt32(8 * shift))) }
        }
        append(UInt32(priority), 2)
        append(parameter, 4)
        append(UInt32(label.count), 2)
        append(UInt32(subprotocol.count), 2)
        return bytes + label + subprotocol
    }
}
