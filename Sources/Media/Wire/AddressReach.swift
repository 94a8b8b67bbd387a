/// From where an address can be reached.
package enum AddressReach: Sendable {
    /// A loopback address.
    case thisMachine
    /// A link-local or private one: RFC 1918, RFC 4193, RFC 6598.
    case localNetwork
    case internet

    /// - Returns: `nil` if the text is no address, as a host's name is none.
    package init?(_ text: String) {
        guard let address = IPAddressPort(text: text, port: 0) else { return nil }
        if address.isLoopback {
            self = .thisMachine
        } else if address.isLinkLocal || address.isLinkLocalIPv4 || address.isPrivate {
            self = .localNetwork
        } else {
            self = .internet
        }
    }
}
