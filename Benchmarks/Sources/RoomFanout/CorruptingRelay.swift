import Foundation
import Glibc
import Synchronization

/// Stands between clients and a server, and flips a byte of some of the packets that the server forwards.
// Sendable: the sockets are touched by the relay's thread alone once it runs; the stop flag is atomic.
final class CorruptingRelay: @unchecked Sendable {
    private struct Leg {
        var front: Int32
        var back: Int32
        var client = sockaddr_in()
        var forwarded = 0
    }

    /// Flips a byte of one in so many packets; 0: of none.
    private let interval: Int
    private var legs: [Leg] = []
    private let stopped = Atomic(false)
    private let ended = DispatchSemaphore(value: 0)

    init(oneIn interval: Int) { self.interval = interval }

    /// Puts a new socket before a server's address.
    func detour(_ remote: Plan.Remote) throws -> Plan.Remote {
        var leg = Leg(front: try Self.socket(), back: try Self.socket())
        var server = Self.loopback(port: remote.port)
        guard withUnsafePointer(to: &server, { Glibc.connect(leg.back, Self.general($0), Self.length) }) == 0 else {
            throw ChildProcess.Failure(description: "the relay cannot connect to port \(remote.port)")
        }
        var own = sockaddr_in()
        var length = Self.length
        withUnsafeMutablePointer(to: &own) {
            _ = getsockname(leg.front, UnsafeMutableRawPointer($0).assumingMemoryBound(to: sockaddr.self), &length)
        }
        leg.client = own
        legs.append(leg)
        var detour = remote
        detour.port = Int(UInt16(bigEndian: own.sin_port))
        return detour
    }

    func start() {
        Thread.detachNewThread { [self] in
            while !stopped.load(ordering: .relaxed) { relay() }
            for leg in legs {
                Glibc.close(leg.front)
                Glibc.close(leg.back)
            }
            ended.signal()
        }
    }

    func stop() {
        stopped.store(true, ordering: .relaxed)
        ended.wait()
    }

    private func relay() {
        var waiting = legs.flatMap { [$0.front, $0.back] }.map { pollfd(fd: $0, events: Int16(POLLIN), revents: 0) }
        _ = poll(&waiting, nfds_t(waiting.count), 100)
        var bytes = [UInt8](repeating: 0, count: 2048)
        for index in legs.indices {
            if waiting[2 * index].revents != 0 {
                var length = Self.length
                let count = withUnsafeMutablePointer(to: &legs[index].client) {
                    let address = UnsafeMutableRawPointer($0).assumingMemoryBound(to: sockaddr.self)
                    return recvfrom(legs[index].front, &bytes, bytes.count, 0, address, &length)
                }
                if count > 0 { _ = send(legs[index].back, bytes, count, 0) }
            }
            if waiting[2 * index + 1].revents != 0 {
                let count = recv(legs[index].back, &bytes, bytes.count, 0)
                guard count > 0 else { continue }
                corrupt(&bytes, count, of: index)
                _ = withUnsafePointer(to: &legs[index].client) {
                    sendto(legs[index].front, bytes, count, 0, Self.general($0), Self.length)
                }
            }
        }
    }

    /// RTP only: RFC 7983's first bytes, and not RTCP's packet types (RFC 5761 section 4).
    private func corrupt(_ bytes: inout [UInt8], _ count: Int, of index: Int) {
        guard count > 40, (128...191).contains(bytes[0]), !(192...223).contains(bytes[1]) else { return }
        legs[index].forwarded += 1
        if interval > 0, legs[index].forwarded % interval == 0 { bytes[count / 2] ^= 1 }
    }

    private static let length = socklen_t(MemoryLayout<sockaddr_in>.size)

    private static func general(_ address: UnsafePointer<sockaddr_in>) -> UnsafePointer<sockaddr> {
        UnsafeRawPointer(address).assumingMemoryBound(to: sockaddr.self)
    }

    private static func loopback(port: Int) -> sockaddr_in {
        var address = sockaddr_in()
        address.sin_family = sa_family_t(AF_INET)
        address.sin_addr.s_addr = inet_addr("127.0.0.1")
        address.sin_port = UInt16(truncatingIfNeeded: port).bigEndian
        return address
    }

    private static func socket() throws -> Int32 {
        let descriptor = Glibc.socket(AF_INET, Int32(SOCK_DGRAM.rawValue), 0)
        var address = loopback(port: 0)
        guard descriptor >= 0, withUnsafePointer(to: &address, { bind(descriptor, general($0), length) }) == 0 else {
            throw ChildProcess.Failure(description: "the relay cannot open a socket")
        }
        return descriptor
    }
}
