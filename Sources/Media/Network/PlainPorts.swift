import CLinuxNet
import Glibc
import Synchronization

// Safe: a descriptor is opened here and belongs to the `AttachedSocket` it is given to.

/// Opens the sockets of plain transports in a range of ports.
///
/// Which ports are free is the kernel's to say: a port that is taken, by us or by another program, is passed over.
final class PlainPorts: Sendable {
    private let address: IPAddressPort
    private let ip: String
    private let ports: ClosedRange<UInt16>
    private let bufferBytes: Int32
    /// Where the search goes on: a port rests as long as possible before it has another owner.
    private let next: Mutex<Int>

    /// - Parameters:
    ///   - address: where to bind; its port is not used.
    ///   - ip: what clients get.
    init(address: IPAddressPort, ip: String, ports: ClosedRange<UInt16>, bufferBytes: Int32 = 1 << 20) {
        self.address = address
        self.ip = ip
        self.ports = ports
        self.bufferBytes = bufferBytes
        next = Mutex(0)
    }

    /// A socket, or one with an even port for RTP and one with the next for RTCP (RFC 3550 §11).
    /// - Throws: `overloaded` where no port is free, `system` where the kernel opens none.
    func open(usesRTCPMux: Bool) throws(MediaError) -> PlainSockets {
        let count = Int(ports.upperBound) - Int(ports.lowerBound) + 1
        let start = next.withLock { next in
            defer { next = (next + 2) % count }
            return next
        }
        for step in 0..<count {
            let port = Int(ports.lowerBound) + (start + step) % count
            if usesRTCPMux {
                guard let rtp = try bind(port) else { continue }
                return PlainSockets(rtp: rtp, rtcp: nil, ip: ip)
            }
            guard port % 2 == 0, port < Int(ports.upperBound), let rtp = try bind(port), let rtcp = try bind(port + 1)
            else { continue }
            return PlainSockets(rtp: rtp, rtcp: rtcp, ip: ip)
        }
        throw MediaError(
            .overloaded,
            "no UDP port for a plain transport is free in \(ports.lowerBound)-\(ports.upperBound): "
                + "close some, or give the server more with --plain-ports")
    }

    /// - Returns: `nil` where somebody has the port.
    private func bind(_ port: Int) throws(MediaError) -> AttachedSocket? {
        guard let port = UInt16(exactly: port) else { return nil }
        let wanted = address.withPort(port)
        var from = cln_address(wanted)
        var bound = cln_address()
        let descriptor = unsafe cln_udp_open(&from, bufferBytes, false, &bound)
        switch -descriptor {
        case ..<1: return AttachedSocket(descriptor: descriptor, address: IPAddressPort(bound) ?? wanted)
        case EADDRINUSE, EACCES: return nil
        case EMFILE, ENFILE:
            throw MediaError(.system, "no file descriptor is left for a plain transport: raise the limit (ulimit -n)")
        case let code:
            throw MediaError(
                .system, unsafe "cannot open a socket for a plain transport: \(String(cString: strerror(code)))")
        }
    }
}
