import Glibc
import Synchronization

// Safe: the descriptor is closed once: here, unless somebody has taken it.

/// A client's connection on its way from the shard that accepted it to the one that it is for.
package final class HandedConnection: Sendable {
    /// Negative in simulations, and once it is taken.
    private let descriptor: Atomic<Int32>
    let remote: IPAddressPort
    let local: IPAddressPort
    /// What has come of it, from the beginning.
    let bytes: [UInt8]

    init(descriptor: Int32, remote: IPAddressPort, local: IPAddressPort, bytes: [UInt8]) {
        self.descriptor = Atomic(descriptor)
        self.remote = remote
        self.local = local
        self.bytes = bytes
    }

    deinit {
        let left = take()
        if left >= 0 { Glibc.close(left) }
    }

    /// The descriptor, which is the caller's from now on.
    func take() -> Int32 { descriptor.exchange(-1, ordering: .acquiringAndReleasing) }
}
