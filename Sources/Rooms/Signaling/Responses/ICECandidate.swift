public import RoundhouseMedia

/// An address at which a transport can be reached (RFC 8445 §5.3).
public struct ICECandidate: Sendable, Hashable, JSONRepresentable {
    /// `udpcandidate` or `tcpcandidate`.
    public var foundation: String
    /// RFC 8445 §5.1.2.
    public var priority: UInt32
    /// An address or host name.
    public var address: String
    /// UDP or TCP port.
    public var port: UInt16
    /// The protocol under ICE.
    public var transport: CandidateTransport

    /// Older clients read `ip` only, newer ones `address`.
    public var json: JSONValue {
        .fields([
            "foundation": .string(foundation), "priority": .integer(Int64(priority)), "ip": .string(address),
            "address": .string(address), "port": .integer(Int64(port)), "protocol": .string(transport.rawValue),
            "type": .string("host"), "tcpType": transport == .tcp ? .string("passive") : nil,
        ])
    }

    /// The candidates of a shard; earlier addresses are preferred, as mediasoup numbers them.
    static func candidates(of endpoint: ShardEndpoint, forceTcp: Bool) -> [ICECandidate] {
        endpoint.addresses.enumerated().filter { !forceTcp || $0.element.transport == .tcp }.map { index, address in
            let localPreference = UInt32(max(10000 - 100 * index, 0))
            return ICECandidate(
                foundation: "\(address.transport.rawValue)candidate",
                priority: 64 << 24 + localPreference << 8 + 255, address: address.address, port: address.port,
                transport: address.transport)
        }
    }
}
