import Synchronization

/// The sockets of one plain transport.
public struct PlainSockets: Sendable {
    let rtp: AttachedSocket
    /// `nil` with RTCP-mux.
    let rtcp: AttachedSocket?
    /// What clients get instead of the bound address.
    let ip: String

    var endpoint: PlainEndpoint {
        PlainEndpoint(
            ip: ip, port: rtp.address.port, rtcpPort: rtcp?.address.port, isIPv6: rtp.address.family == .ipv6)
    }

    /// Sockets that are none, with ports one after the other.
    static func simulated(address: IPAddressPort, from first: UInt16) -> MediaHandle.SocketOpener {
        let next = SimulatedPorts(first)
        return { usesRTCPMux throws(MediaError) in
            let port = next.take()
            return PlainSockets(
                rtp: AttachedSocket(descriptor: -1, address: address.withPort(port)),
                rtcp: usesRTCPMux ? nil : AttachedSocket(descriptor: -1, address: address.withPort(port &+ 1)),
                ip: address.addressText)
        }
    }
}

private final class SimulatedPorts: Sendable {
    private let next: Mutex<UInt16>

    init(_ first: UInt16) { next = Mutex(first) }

    func take() -> UInt16 {
        next.withLock { next in
            defer { next &+= 2 }
            return next
        }
    }
}
