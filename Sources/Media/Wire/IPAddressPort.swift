/// An IPv4 or IPv6 address with a port, as a plain value that hashes and compares cheaply.
///
/// An IPv4-mapped IPv6 address (RFC 4291 §2.5.5.2) becomes the IPv4 address, so that one peer has one value on a
/// dual-stack socket.
package struct IPAddressPort: Hashable, Sendable {
    enum Family: UInt8, Hashable, Sendable {
        case ipv4 = 1
        case ipv6 = 2
    }

    let family: Family
    let port: UInt16
    /// The first eight bytes of an IPv6 address in network order; zero for IPv4.
    let high: UInt64
    /// The last eight bytes of an IPv6 address in network order; an IPv4 address sits in the low 32 bits.
    let low: UInt64

    /// - Parameter ipv4: the address as a number, `127.0.0.1` being `0x7F00_0001`.
    init(ipv4: UInt32, port: UInt16) {
        family = .ipv4
        self.port = port
        high = 0
        low = UInt64(ipv4)
    }

    init(ipv6High high: UInt64, low: UInt64, port: UInt16) {
        let isMapped = high == 0 && low >> 32 == 0xFFFF
        family = isMapped ? .ipv4 : .ipv6
        self.port = port
        self.high = high
        self.low = isMapped ? low & 0xFFFF_FFFF : low
    }

    /// The same address with another port.
    func withPort(_ port: UInt16) -> IPAddressPort {
        family == .ipv4 ? IPAddressPort(ipv4: ipv4, port: port) : IPAddressPort(ipv6High: high, low: low, port: port)
    }

    /// The same address with port 0.
    package var host: IPAddressPort { withPort(0) }

    /// The IPv4 address as a number; zero for IPv6.
    var ipv4: UInt32 { family == .ipv4 ? UInt32(truncatingIfNeeded: low) : 0 }

    /// The address as text: dotted decimal, or the form RFC 5952 §4 recommends for IPv6.
    var addressText: String {
        switch family {
        case .ipv4: return (0..<4).map { String(ipv4 >> UInt32(24 - 8 * $0) & 0xFF) }.joined(separator: ".")
        case .ipv6: return Self.ipv6Text(groups)
        }
    }

    private var groups: [UInt16] {
        (0..<8).map { index in
            UInt16(truncatingIfNeeded: (index < 4 ? high : low) >> UInt64(48 - 16 * (index % 4)))
        }
    }

    private static func ipv6Text(_ groups: [UInt16]) -> String {
        // RFC 5952 §4.2: the longest run of two or more zero groups, the first of equals, is written "::".
        var longest = 0..<0
        var start = 0
        while start < groups.count {
            var end = start
            while end < groups.count, groups[end] == 0 { end += 1 }
            if end - start >= 2, end - start > longest.count { longest = start..<end }
            start = max(end, start + 1)
        }
        func text(_ part: ArraySlice<UInt16>) -> String {
            part.map { String($0, radix: 16) }.joined(separator: ":")
        }
        guard !longest.isEmpty else { return text(groups[...]) }
        return text(groups[..<longest.lowerBound]) + "::" + text(groups[longest.upperBound...])
    }
}

extension IPAddressPort: CustomStringConvertible {
    /// `192.0.2.1:5000` or `[2001:db8::1]:5000`.
    package var description: String { family == .ipv4 ? "\(addressText):\(port)" : "[\(addressText)]:\(port)" }
}
