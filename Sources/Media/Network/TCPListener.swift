import CLinuxNet
import Glibc

// Safe: a descriptor is opened once and closed once, by the listener that names it.

/// A TCP socket that takes clients' connections. It is closed with the last reference.
// Sendable: constants.
final class TCPListener: Sendable {
    let descriptor: Int32
    let address: IPAddressPort
    /// Connections that the kernel keeps for a thread that is busy.
    private static let backlog: Int32 = 512

    private init(descriptor: Int32, address: IPAddressPort) {
        self.descriptor = descriptor
        self.address = address
    }

    deinit { Glibc.close(descriptor) }

    /// Opens one at an address; what the kernel says otherwise, as its number.
    /// - Parameter isShared: whether several may listen there: the kernel spreads clients over them.
    static func open(at address: IPAddressPort, isShared: Bool = false) -> Result<TCPListener, ErrorNumber> {
        var wanted = cln_address(address)
        var bound = cln_address()
        let descriptor = unsafe cln_tcp_listen(&wanted, backlog, isShared, &bound)
        guard descriptor >= 0 else { return .failure(ErrorNumber(code: -descriptor)) }
        return .success(TCPListener(descriptor: descriptor, address: IPAddressPort(bound) ?? address))
    }

    /// An `errno`.
    struct ErrorNumber: Error {
        let code: Int32
    }
}
