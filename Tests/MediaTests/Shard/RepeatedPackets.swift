@testable import RoundhouseMedia
@testable import TestSupport

/// Watches that no SRTP packet on its way to a peer shares SSRC and number with another one of other bytes: under one key
/// that would reuse a nonce (RFC 7714 §8.1).
final class RepeatedPackets {
    private var seen: [[UInt8]: [UInt8]] = [:]
    /// Packets that came again as they were.
    private(set) var same = 0
    /// Packets with the number of another one.
    private(set) var different = 0

    /// Watches what a network carries to a peer from now on.
    init(to peer: VirtualPeer, in world: VirtualWorld) {
        let address = peer.localAddress
        world.network.filter = { [unowned self] datagram in
            if datagram.to == address { sent(datagram.bytes) }
            return datagram
        }
    }

    private func sent(_ bytes: [UInt8]) {
        guard bytes.count > 40, bytes.withUnsafeBytes({ DatagramKind.classify($0) }) == .rtp else { return }
        let name = Array(bytes[2..<4] + bytes[8..<12])
        if let before = seen[name] {
            if before == bytes { same += 1 } else { different += 1 }
        }
        seen[name] = bytes
    }
}
