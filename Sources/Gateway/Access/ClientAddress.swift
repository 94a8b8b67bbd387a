import NIOCore

/// The address a client comes from, as limits count it and as rights of this machine's own users need it.
struct ClientAddress: Sendable, Hashable, CustomStringConvertible {
    /// The 128 bits of the IPv6 address; an IPv4 address is its mapped one (RFC 4291 §2.5.5.2).
    let high: UInt64
    let low: UInt64

    private static let mappedPrefix: UInt64 = 0xFFFF

    private init(high: UInt64, low: UInt64) {
        self.high = high
        self.low = low
    }

    /// - Returns: `nil` for what is no IP address, such as a Unix socket's.
    init?(_ address: SocketAddress?) {
        guard let text = address?.ipAddress else { return nil }
        // A link-local address names its interface too (RFC 4007 §11).
        self.init(parsing: String(text.prefix { $0 != "%" }))
    }

    /// - Parameter text: an IPv4 or IPv6 literal without a port; the latter with or without brackets.
    init?(parsing text: String) {
        // The longest literal has 45 characters, and brackets.
        guard text.utf8.count <= 47 else { return nil }
        var text = Substring(text)
        if text.hasPrefix("["), text.hasSuffix("]") { text = text.dropFirst().dropLast() }
        guard text.contains(":") else {
            guard let bits = Self.ipv4(text) else { return nil }
            self.init(high: 0, low: Self.mappedPrefix << 32 | UInt64(bits))
            return
        }
        guard let groups = Self.ipv6(text) else { return nil }
        func half(_ part: ArraySlice<UInt16>) -> UInt64 { part.reduce(0) { $0 << 16 | UInt64($1) } }
        self.init(high: half(groups[..<4]), low: half(groups[4...]))
    }

    /// Four decimal numbers (RFC 6943 §3.1.1's strict form).
    private static func ipv4(_ text: Substring) -> UInt32? {
        let parts = text.split(separator: ".", omittingEmptySubsequences: false)
        guard parts.count == 4 else { return nil }
        var bits: UInt32 = 0
        for part in parts {
            guard (1...3).contains(part.utf8.count), part.utf8.allSatisfy({ (48...57).contains($0) }),
                let number = UInt8(part)
            else { return nil }
            bits = bits << 8 | UInt32(number)
        }
        return bits
    }

    /// Eight groups, one run of zeros left out, the last two perhaps as an IPv4 address (RFC 4291 §2.2).
    private static func ipv6(_ text: Substring) -> [UInt16]? {
        func groups(_ text: Substring, isLast: Bool) -> [UInt16]? {
            guard !text.isEmpty else { return [] }
            let parts = text.split(separator: ":", omittingEmptySubsequences: false)
            var groups: [UInt16] = []
            for (index, part) in parts.enumerated() {
                if isLast, index == parts.count - 1, part.contains(".") {
                    guard let bits = ipv4(part) else { return nil }
                    groups += [UInt16(bits >> 16), UInt16(truncatingIfNeeded: bits)]
                } else {
                    guard (1...4).contains(part.utf8.count), part.allSatisfy(\.isHexDigit),
                        let group = UInt16(part, radix: 16)
                    else { return nil }
                    groups.append(group)
                }
            }
            return groups
        }
        guard let gap = text.firstRange(of: "::") else {
            guard let all = groups(text, isLast: true), all.count == 8 else { return nil }
            return all
        }
        guard let before = groups(text[..<gap.lowerBound], isLast: false),
            let after = groups(text[gap.upperBound...], isLast: true), before.count + after.count < 8
        else { return nil }
        return before + [UInt16](repeating: 0, count: 8 - before.count - after.count) + after
    }

    var isIPv4: Bool { high == 0 && low >> 32 == Self.mappedPrefix }

    /// 127.0.0.0/8 or ::1.
    var isLoopback: Bool { isIPv4 ? (low >> 24) & 0xFF == 127 : high == 0 && low == 1 }

    /// What limits count by: an IPv4 address, or the 64 bits of an IPv6 network, since one client has all of those.
    var counted: ClientAddress { isIPv4 ? self : ClientAddress(high: high, low: 0) }

    func hasPrefix(of other: ClientAddress, bits: Int) -> Bool {
        func matches(_ a: UInt64, _ b: UInt64, _ bits: Int) -> Bool { bits <= 0 || (a ^ b) >> UInt64(64 - bits) == 0 }
        return matches(high, other.high, min(bits, 64)) && matches(low, other.low, min(bits - 64, 64))
    }

    var description: String {
        if isIPv4 { return [24, 16, 8, 0].map { String((low >> $0) & 0xFF) }.joined(separator: ".") }
        return [high, low].flatMap { half in
            [48, 32, 16, 0].map { String((half >> $0) & 0xFFFF, radix: 16) }
        }.joined(separator: ":")
    }
}
