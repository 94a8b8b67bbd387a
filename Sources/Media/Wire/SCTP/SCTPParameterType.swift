/// Types of parameters that mean something here, as the numbers on the wire.
enum SCTPParameterType {
    static let heartbeatInfo: UInt16 = 1
    static let stateCookie: UInt16 = 7
    static let unrecognized: UInt16 = 8
    /// RFC 6525 §4.
    static let outgoingReset: UInt16 = 13
    static let incomingReset: UInt16 = 14
    static let tsnReset: UInt16 = 15
    static let response: UInt16 = 16
    static let addOutgoingStreams: UInt16 = 17
    static let addIncomingStreams: UInt16 = 18
    /// RFC 9653 §4.
    static let zeroChecksumAcceptable: UInt16 = 0x8001
    /// RFC 5061 §4.2.7.
    static let supportedExtensions: UInt16 = 0x8008
    /// RFC 3758 §3.1.
    static let forwardTSNSupported: UInt16 = 0xC000

    /// Known, and of no use over DTLS (RFC 8261 §5): addresses, cookie preservation, ECN, authentication, padding, and
    /// the adaptation's code.
    static let ignored: Set<UInt16> = [5, 6, 9, 11, 12, 0x8000, 0x8002, 0x8003, 0x8004, 0x8005, 0xC006]

    /// Whether parameters that follow an unknown one of this type are read (RFC 9260 §3.2.1).
    static func isSkippable(_ type: UInt16) -> Bool { type & 0x8000 != 0 }
    /// Whether an unknown one is reported to its sender.
    static func isReportable(_ type: UInt16) -> Bool { type & 0x4000 != 0 }
}
