/// A range of IP addresses: `192.0.2.0/24`, `2001:db8::/32`, or one address.
public struct IPAddressRange: Sendable, Hashable, CustomStringConvertible {
    private let first: IPAddressPort
    private let bits: Int
    /// As it was written.
    public let description: String

    /// - Returns: `nil` where the text is no address, or the number of bits is none of that kind of address.
    public init?(_ text: String) {
        let parts = text.split(separator: "/", maxSplits: 1, omittingEmptySubsequences: false)
        guard let address = parts.first.flatMap({ IPAddressPort(text: String($0), port: 0) }) else { return nil }
        let width = address.family == .ipv4 ? 32 : 128
        var bits = width
        if parts.count > 1 {
            guard let given = Int(parts[1]), (0...width).contains(given) else { return nil }
            bits = given
        }
        first = address
        self.bits = bits
        description = text
    }

    func contains(_ address: IPAddressPort) -> Bool {
        guard address.family == first.family else { return false }
        func matches(_ a: UInt64, _ b: UInt64, _ bits: Int) -> Bool { bits <= 0 || (a ^ b) >> UInt64(64 - bits) == 0 }
        // An IPv4 address is the last of the 64 bits of `low`.
        if address.family == .ipv4 { return matches(address.low, first.low, bits == 0 ? 0 : bits + 32) }
        return matches(address.high, first.high, min(bits, 64)) && matches(address.low, first.low, bits - 64)
    }
}
