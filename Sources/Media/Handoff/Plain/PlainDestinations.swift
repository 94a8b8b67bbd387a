/// Where plain transports may send RTP: nothing on the way tells a wanted stream from an unwanted one, so that without this a
/// server relays to whomever a client names.
public struct PlainDestinations: Sendable, Hashable {
    /// Those the operator allows.
    var ranges: [IPAddressRange]
    /// The address that the request for the transport came from, over a connection that proved it.
    var requester: IPAddressPort?
    /// The server's own, with port 0.
    var own: [IPAddressPort]

    init(ranges: [IPAddressRange], requester: IPAddressPort? = nil, own: [IPAddressPort] = []) {
        self.ranges = ranges
        self.requester = requester?.withPort(0)
        self.own = own
    }

    /// Whether RTP may be sent to an address that a client names: the operator allows it, or it is the client's own, unless
    /// that is on the server's machine, where a proxy in front of it would make every client seem to be.
    public func admits(_ remote: PlainRemote) -> Bool {
        remote.address.map { admits(named: $0) } ?? true
    }

    func admits(named address: IPAddressPort) -> Bool {
        isAllowed(address) || (isRequester(address) && !isOwnMachine(address))
    }

    /// The same for an address that was learned from a packet: no packet from elsewhere has one of this machine.
    func admits(learned address: IPAddressPort) -> Bool {
        isAllowed(address) || isRequester(address) || isOwnMachine(address)
    }

    /// What kind of address it is, where there is more to say of it than that nobody allowed it.
    public func kind(of remote: PlainRemote) -> String? {
        guard let address = remote.address else { return nil }
        if address.isLoopback { return "a loopback address" }
        if isOwnMachine(address) { return "the server's own address" }
        if address.isLinkLocal || address.isLinkLocalIPv4 { return "a link-local address" }
        return address.isPrivate ? "a private address" : nil
    }

    private func isAllowed(_ address: IPAddressPort) -> Bool { ranges.contains { $0.contains(address) } }

    private func isRequester(_ address: IPAddressPort) -> Bool { requester == address.withPort(0) }

    private func isOwnMachine(_ address: IPAddressPort) -> Bool {
        address.isLoopback || own.contains(address.withPort(0))
    }
}

extension IPAddressPort {
    /// 169.254.0.0/16 (RFC 3927).
    var isLinkLocalIPv4: Bool { family == .ipv4 && ipv4 >> 16 == 0xA9FE }

    /// 10.0.0.0/8, 172.16.0.0/12, 192.168.0.0/16 (RFC 1918), 100.64.0.0/10 (RFC 6598) or fc00::/7 (RFC 4193).
    var isPrivate: Bool {
        switch family {
        case .ipv4: ipv4 >> 24 == 10 || ipv4 >> 20 == 0xAC1 || ipv4 >> 16 == 0xC0A8 || ipv4 >> 22 == 0x191
        case .ipv6: high >> 57 == 0x7E
        }
    }
}
