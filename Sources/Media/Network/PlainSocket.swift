import Glibc

// Safe: a descriptor is opened once and closed once, by the socket that names it.

/// A UDP socket of one plain transport. It is opened with the transport, because the client gets its port at once;
/// the transport's shard receives and sends on it. It is closed with the last reference.
// Sendable: constants.
package final class PlainSocket: Sendable {
    /// Negative in simulations.
    let descriptor: Int32
    let address: IPAddressPort

    init(descriptor: Int32, address: IPAddressPort) {
        self.descriptor = descriptor
        self.address = address
    }

    deinit { if descriptor >= 0 { Glibc.close(descriptor) } }
}
