/// An address at which clients reach the server though it is none of its own: behind NAT, a public one or a name.
public struct AnnouncedAddress: Sendable, Hashable {
    /// As clients get it: an IPv6 address without brackets.
    public let text: String
    /// `nil` for a name.
    let family: IPAddressPort.Family?
    /// The one of the machine's addresses, without a port, that it stands for; `nil`: for all of its family.
    private(set) var bound: IPAddressPort?
    /// Whether it is a host name.
    public var isName: Bool { family == nil }
    /// The one of the machine's addresses that it stands for; `nil`: for all of its family.
    public var boundAddress: String? { bound?.addressText }

    /// - Parameter given: an address or a name; or one of the machine's addresses, an equals sign, and what stands for it
    ///   alone: `10.0.0.5=203.0.113.10`.
    /// - Returns: `nil` if it is neither an IPv4 or IPv6 address nor a host name (RFC 1123 §2.1): what browsers would
    ///   refuse to read in a candidate, with its port or as part of a URL, too.
    public init?(_ given: String) {
        var text = given[...]
        if let sign = given.firstIndex(of: "=") {
            let own = given[..<sign]
            let bare = own.first == "[" && own.last == "]" ? own.dropFirst().dropLast() : own
            guard let bound = IPAddressPort(text: String(bare), port: 0), !bound.isUnspecified else { return nil }
            self.bound = bound
            text = given[given.index(after: sign)...]
        }
        let isBracketed = text.first == "[" && text.last == "]"
        let bare = String(isBracketed ? text.dropFirst().dropLast() : text)
        if let address = IPAddressPort(text: bare, port: 0) {
            guard !address.isUnspecified, !isBracketed || address.family == .ipv6,
                bound.map({ $0.family == address.family }) ?? true
            else { return nil }
            family = address.family
        } else {
            guard !isBracketed, Self.isHostName(bare) else { return nil }
            family = nil
        }
        self.text = bare
    }

    /// A name's address in its place.
    public func resolved(to address: String) -> AnnouncedAddress? {
        guard var resolved = AnnouncedAddress(address), resolved.bound == nil else { return nil }
        resolved.bound = bound
        return resolved
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
    /// What clients get in place of a bound address: what stands for it alone, or else all of its family and all names, or
    /// itself where there are none.
    func texts(for bound: IPAddressPort) -> [String] {
        let fitting = filter { $0.family == nil || $0.family == bound.family }
        let own = fitting.filter { $0.bound == bound.withPort(0) }
        let those = own.isEmpty ? fitting.filter { $0.bound == nil } : own
        return those.isEmpty ? [bound.addressText] : those.map(\.text)
    }
}
