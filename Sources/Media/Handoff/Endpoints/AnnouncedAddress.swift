/// An address at which clients reach the server though it is none of its own: behind NAT, a public one or a name.
public struct AnnouncedAddress: Sendable, Hashable {
    /// As clients get it: an IPv6 address without brackets.
    public let text: String
    /// `nil` for a name.
    let family: IPAddressPort.Family?
    /// Whether it is a host name.
    public var isName: Bool { family == nil }

    /// - Returns: `nil` if the text is neither an IPv4 or IPv6 address nor a host name (RFC 1123 §2.1): what browsers would
    ///   refuse to read in a candidate, with its port or as part of a URL, too.
    public init?(_ text: String) {
        let isBracketed = text.first == "[" && text.last == "]"
        let bare = isBracketed ? String(text.dropFirst().dropLast()) : text
        if let address = IPAddressPort(text: bare, port: 0) {
            guard !address.isUnspecified, !isBracketed || address.family == .ipv6 else { return nil }
            family = address.family
        } else {
            guard !isBracketed, Self.isHostName(bare) else { return nil }
            family = nil
        }
        self.text = bare
    }

    private static func isHostName(_ text: String) -> Bool {
        let labels = text.split(separator: ".", omittingEmptySubsequences: false)
        return text.utf8.count <= 253 && labels.allSatisfy(isLabel)
            // With digits only at its end it was meant for an address (RFC 1123 §2.1).
            && labels.last.map { !$0.utf8.allSatisfy(isDigit) } ?? false
    }

    private static func isLabel(_ text: Substring) -> Bool {
        (1...63).contains(text.utf8.count) && text.first != "-" && text.last != "-"
            && text.utf8.allSatisfy { isDigit($0) || isLetter($0) || $0 == UInt8(ascii: "-") }
    }

    private static func isDigit(_ byte: UInt8) -> Bool { (UInt8(ascii: "0")...UInt8(ascii: "9")).contains(byte) }

    private static func isLetter(_ byte: UInt8) -> Bool {
        (UInt8(ascii: "a")...UInt8(ascii: "z")).contains(byte | 0x20)
    }
}

extension [AnnouncedAddress] {
    /// What clients get in place of a bound address: all of its family and all names, or itself where there are none.
    func texts(for bound: IPAddressPort) -> [String] {
        let those = filter { $0.family == nil || $0.family == bound.family }
        return those.isEmpty ? [bound.addressText] : those.map(\.text)
    }
}
