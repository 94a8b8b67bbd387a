public import RoundhouseMedia

/// An address at which a transport can be reached (RFC 8445 §5.3).
public struct ICECandidate: Sendable, Hashable, JSONRepresentable {
    /// Another one for every address, since RFC 8445 §5.1.1.3 has candidates of one base and protocol share one. Letters of
    /// no meaning: ffmpeg 8.0 takes a line that holds "udp" twice for another protocol.
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

    /// The candidates of a shard that a client gets; earlier addresses are preferred, as mediasoup numbers them.
    static func candidates(
        of endpoint: ShardEndpoint, _ selection: CandidateSelection = CandidateSelection()
    ) -> [ICECandidate] {
        endpoint.addresses.enumerated().compactMap { index, address in
            let isTCP = address.transport == .tcp
            guard isTCP ? selection.enableTcp : selection.enableUdp else { return nil }
            let isPreferred = isTCP ? selection.preferTcp : selection.preferUdp
            let localPreference = UInt32(max(10000 - 100 * index, 0) + (isPreferred ? 1000 : 0))
            return ICECandidate(
                foundation: String(index + 1),
                priority: 64 << 24 + localPreference << 8 + 255, address: address.address, port: address.port,
                transport: address.transport)
        }
    }
}
