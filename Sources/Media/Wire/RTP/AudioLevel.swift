/// A client-to-mixer audio level (RFC 6464 §3).
struct AudioLevel: Hashable, Sendable {
    /// 0…127 in −dBov: 0 is the loudest, 127 silence.
    var level: UInt8
    var hasVoice: Bool

    init(level: UInt8, hasVoice: Bool) {
        self.level = level & 0x7F
        self.hasVoice = hasVoice
    }

    init(encoded: UInt8) { self.init(level: encoded & 0x7F, hasVoice: encoded & 0x80 != 0) }

    var encoded: UInt8 { level | (hasVoice ? 0x80 : 0) }
}
