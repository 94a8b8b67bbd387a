import Glibc

// Safe: a descriptor is opened once and closed once, by the socket that names it.

/// A UDP socket that a shard gets while it runs: a plain transport's own, which is opened with the transport because the
/// client gets its port at once, or one for an address that the machine has got. It is closed with the last reference.
// Sendable: constants.
package final class AttachedSocket: Sendable {
    /// Negative in simulations.
    let descriptor: Int32
    let address: IPAddressPort
    /// Where clients come to the same address over TCP.
    let listener: TCPListener?

    init(descriptor: Int32, address: IPAddressPort, listener: TCPListener? = nil) {
        self.descriptor = descriptor
        self.address = address
        self.listener = listener
    }

    deinit { if descriptor >= 0 { Glibc.close(descriptor) } }
}
