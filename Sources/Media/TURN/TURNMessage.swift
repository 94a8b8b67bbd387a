// Safe: attributes are views into the message, whose bounds the iterator has checked; what is kept of them is copied.

/// A STUN message as the TURN server reads it (RFC 8656 §18): what ICE's reader passes over.
struct TURNMessage {
    let messageClass: STUNClass
    let method: UInt16
    let transactionID: STUNTransactionID
    private(set) var hasIntegrity = false
    private(set) var username: String?
    private(set) var realm: String?
    private(set) var nonce: String?
    /// In seconds.
    private(set) var lifetime: UInt32?
    /// The protocol's number: 17 is UDP.
    private(set) var requestedTransport: UInt8?
    private(set) var requestedFamily: UInt8?
    private(set) var hasAdditionalFamily = false
    private(set) var wantsEvenPort = false
    /// The port behind an even one, too, or one that was reserved so.
    private(set) var wantsReservation = false
    private(set) var channel: UInt16?
    private(set) var peers: [IPAddressPort] = []
    /// Where in the message DATA is.
    private(set) var data: Range<Int>?
    private(set) var unknownRequired = STUNUnknownAttributes()

    enum Method {
        static let allocate: UInt16 = 3
        static let refresh: UInt16 = 4
        static let send: UInt16 = 6
        static let data: UInt16 = 7
        static let createPermission: UInt16 = 8
        static let channelBind: UInt16 = 9
    }

    /// - Throws: as `STUNMessage`, and `malformed` for attributes of TURN that cannot be read.
    init(parsing bytes: UnsafeRawBufferPointer) throws(WireError) {
        let message = unsafe try STUNMessage(parsing: bytes)
        (messageClass, method, transactionID) = (message.messageClass, message.method, message.transactionID)
        hasIntegrity = message.messageIntegrityOffset != nil
        var attributes = unsafe STUNAttributeIterator(bytes)
        while let attribute = try attributes.next() {
            // What follows it is not authenticated (RFC 8489 §14.5).
            if attribute.type == .messageIntegrity { break }
            try read(attribute, of: message)
        }
    }

    private mutating func read(_ attribute: STUNAttributeIterator.Element, of message: STUNMessage) throws(WireError) {
        var value = unsafe ByteReader(attribute.value)
        switch attribute.type {
        case .username: username = unsafe String(decoding: attribute.value, as: UTF8.self)
        case .realm: realm = unsafe String(decoding: attribute.value.prefix(128), as: UTF8.self)
        case .nonce: nonce = unsafe String(decoding: attribute.value.prefix(128), as: UTF8.self)
        case .lifetime: lifetime = try value.readUInt32()
        case .requestedTransport: requestedTransport = try value.readUInt8()
        case .requestedAddressFamily: requestedFamily = try value.readUInt8()
        case .additionalAddressFamily: hasAdditionalFamily = true
        case .evenPort:
            wantsEvenPort = true
            wantsReservation = try value.readUInt8() & 0x80 != 0 || wantsReservation
        case .reservationToken: wantsReservation = true
        case .channelNumber: channel = try value.readUInt16()
        case .xorPeerAddress:
            guard peers.count <= TURNLimits.permissionsPerAllocation else { throw .tooLarge }
            peers.append(try message.xorAddress(&value))
        case .data:
            let start = attribute.offset + 4
            data = unsafe start..<start + attribute.value.count
        case .mappedAddress, .errorCode, .unknownAttributes, .messageIntegritySHA256, .xorMappedAddress, .priority,
            .useCandidate:
            break
        default:
            if attribute.type.isComprehensionRequired { unknownRequired.append(attribute.type.rawValue) }
        }
    }
}
