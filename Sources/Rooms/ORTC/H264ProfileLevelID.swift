/// An H.264 `profile-level-id` (RFC 6184 §8.1).
struct H264ProfileLevelID: Hashable {
    enum Profile: Hashable {
        case constrainedBaseline, baseline, main, constrainedHigh, high, high444Predictive
    }

    /// A level as ten times its number; 1b lies between 1 and 1.1.
    struct Level: Hashable, Comparable {
        let idc: UInt8
        let isOneB: Bool

        private var rank: Int { isOneB ? 21 : Int(idc) * 2 }
        static func < (a: Level, b: Level) -> Bool { a.rank < b.rank }
    }

    let profile: Profile
    let level: Level

    /// What an endpoint means that names none: constrained baseline, level 3.1.
    static let `default` = H264ProfileLevelID(
        profile: .constrainedBaseline, level: Level(idc: 31, isOneB: false))

    private static let levels: Set<UInt8> = [10, 11, 12, 13, 20, 21, 22, 30, 31, 32, 40, 41, 42, 50, 51, 52]

    /// profile_idc, the bits of profile-iop that matter, their values (RFC 6184 table 5).
    private static let patterns: [(idc: UInt8, mask: UInt8, bits: UInt8, profile: Profile)] = [
        (0x42, 0b0100_1111, 0b0100_0000, .constrainedBaseline),
        (0x4D, 0b1000_1111, 0b1000_0000, .constrainedBaseline),
        (0x58, 0b1100_1111, 0b1100_0000, .constrainedBaseline),
        (0x42, 0b0100_1111, 0b0000_0000, .baseline),
        (0x58, 0b1100_1111, 0b1000_0000, .baseline),
        (0x4D, 0b1010_1111, 0b0000_0000, .main),
        (0x64, 0b1111_1111, 0b0000_0000, .high),
        (0x64, 0b1111_1111, 0b0000_1100, .constrainedHigh),
        (0xF4, 0b1111_1111, 0b0000_0000, .high444Predictive),
    ]

    init(profile: Profile, level: Level) {
        self.profile = profile
        self.level = level
    }

    /// `nil` if the text is not six hexadecimal digits of a known profile and level.
    init?(_ text: String) {
        guard text.utf8.count == 6, text.utf8.allSatisfy({ Character(Unicode.Scalar($0)).isHexDigit }),
            let number = UInt32(text, radix: 16)
        else { return nil }
        let idc = UInt8(truncatingIfNeeded: number >> 16)
        let iop = UInt8(truncatingIfNeeded: number >> 8)
        let levelIDC = UInt8(truncatingIfNeeded: number)
        guard Self.levels.contains(levelIDC),
            let pattern = Self.patterns.first(where: { $0.idc == idc && iop & $0.mask == $0.bits })
        else { return nil }
        profile = pattern.profile
        // Level 11 with constraint_set3_flag is 1b.
        level = Level(idc: levelIDC, isOneB: levelIDC == 11 && iop & 0x10 != 0)
    }

    /// The canonical text; `nil` for level 1b of a profile that has none.
    var text: String? {
        if level.isOneB {
            switch profile {
            case .constrainedBaseline: return "42f00b"
            case .baseline: return "42100b"
            case .main: return "4d100b"
            case .constrainedHigh, .high, .high444Predictive: return nil
            }
        }
        let prefix =
            switch profile {
            case .constrainedBaseline: "42e0"
            case .baseline: "4200"
            case .main: "4d00"
            case .constrainedHigh: "640c"
            case .high: "6400"
            case .high444Predictive: "f400"
            }
        let digits = String(level.idc, radix: 16)
        return prefix + (digits.utf8.count < 2 ? "0" : "") + digits
    }

    private static func of(_ parameters: [String: CodecParameter]) -> H264ProfileLevelID? {
        guard let value = parameters["profile-level-id"] else { return .default }
        return H264ProfileLevelID(value.text)
    }

    /// What an answer says after two endpoints named theirs.
    enum Answer: Hashable {
        /// Neither named any: the answer names none.
        case none
        case text(String)
    }

    /// The answer's profile and level (RFC 6184 §8.2.2): the profiles must be the same, and without level asymmetry
    /// the lower level counts.
    /// - Returns: `nil` if they do not match.
    static func answer(local: [String: CodecParameter], remote: [String: CodecParameter]) -> Answer? {
        guard let a = of(local), let b = of(remote), a.profile == b.profile else { return nil }
        if local["profile-level-id"] == nil, remote["profile-level-id"] == nil { return Answer.none }
        let isAsymmetryAllowed =
            local["level-asymmetry-allowed"]?.integerValue == 1 && remote["level-asymmetry-allowed"]?.integerValue == 1
        let level = isAsymmetryAllowed ? a.level : min(a.level, b.level)
        return H264ProfileLevelID(profile: a.profile, level: level).text.map { .text($0) }
    }
}
