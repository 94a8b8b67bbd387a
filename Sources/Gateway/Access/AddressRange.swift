/// A range of addresses: `192.0.2.0/24`, `2001:db8::/32`, or one address.
public struct AddressRange: Sendable, Hashable, CustomStringConvertible {
    private let base: ClientAddress
    private let bits: Int
    /// As it was written.
    public let description: String

    /// - Returns: `nil` if the text is no address, or the number of bits is none of that kind of address.
    public init?(_ text: String) {
        let parts = text.split(separator: "/", maxSplits: 1, omittingEmptySubsequences: false)
        guard let first = parts.first, let base = ClientAddress(parsing: String(first)) else { return nil }
        let width = base.isIPv4 ? 32 : 128
        var bits = width
        if parts.count > 1 {
            guard let given = Int(parts[1]), (0...width).contains(given) else { return nil }
            bits = given
        }
        self.base = base
        self.bits = bits + (128 - width)
        description = text
    }

    func contains(_ address: ClientAddress) -> Bool { address.hasPrefix(of: base, bits: bits) }

    /// This machine's own addresses.
    public static let loopback: [AddressRange] = ["127.0.0.0/8", "::1"].compactMap { AddressRange($0) }
}
