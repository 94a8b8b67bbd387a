/// The type of a chunk (RFC 9260 §3.2), as the number on the wire: peers may send any.
struct SCTPChunkType: RawRepresentable, Hashable, Sendable {
    var rawValue: UInt8

    init(rawValue: UInt8) { self.rawValue = rawValue }

    static let data = SCTPChunkType(rawValue: 0)
    static let initiation = SCTPChunkType(rawValue: 1)
    static let initiationAck = SCTPChunkType(rawValue: 2)
    static let selectiveAck = SCTPChunkType(rawValue: 3)
    static let heartbeat = SCTPChunkType(rawValue: 4)
    static let heartbeatAck = SCTPChunkType(rawValue: 5)
    static let abort = SCTPChunkType(rawValue: 6)
    static let shutdown = SCTPChunkType(rawValue: 7)
    static let shutdownAck = SCTPChunkType(rawValue: 8)
    static let error = SCTPChunkType(rawValue: 9)
    static let cookieEcho = SCTPChunkType(rawValue: 10)
    static let cookieAck = SCTPChunkType(rawValue: 11)
    static let shutdownComplete = SCTPChunkType(rawValue: 14)
    /// RFC 8260 §2.1.
    static let interleavedData = SCTPChunkType(rawValue: 0x40)
    /// RFC 6525 §3.1.
    static let reconfiguration = SCTPChunkType(rawValue: 0x82)
    /// RFC 4820 §3.
    static let padding = SCTPChunkType(rawValue: 0x84)
    /// RFC 3758 §3.2.
    static let forwardTSN = SCTPChunkType(rawValue: 0xC0)
    /// RFC 8260 §2.3.1.
    static let interleavedForwardTSN = SCTPChunkType(rawValue: 0xC2)

    /// Whether what follows an unknown chunk of this type is read (RFC 9260 §3.2).
    var isSkippable: Bool { rawValue & 0x80 != 0 }
    /// Whether an unknown chunk of this type is reported to its sender.
    var isReportable: Bool { rawValue & 0x40 != 0 }
}
