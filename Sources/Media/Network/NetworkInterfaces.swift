import CLinuxNet
import Glibc

/// The machine's own addresses.
enum NetworkInterfaces {
    /// Addresses of interfaces that are up, of one family, with the given port; loopback last.
    static func addresses(family: IPAddressPort.Family, port: UInt16) -> [IPAddressPort] {
        // Safe: the list is read before it is freed; an address's family says how many bytes the kernel put there.
        var list: UnsafeMutablePointer<ifaddrs>?
        guard getifaddrs(&list) == 0 else { return [] }
        defer { freeifaddrs(list) }
        var found: [IPAddressPort] = []
        var item = list
        while let interface = item?.pointee {
            item = interface.ifa_next
            guard interface.ifa_flags & UInt32(IFF_UP) != 0, let socketAddress = interface.ifa_addr else { continue }
            var address = cln_address()
            switch Int32(socketAddress.pointee.sa_family) {
            case AF_INET:
                address.v4 = UnsafeRawPointer(socketAddress).loadUnaligned(as: sockaddr_in.self)
                address.v4.sin_port = port.bigEndian
            case AF_INET6:
                address.v6 = UnsafeRawPointer(socketAddress).loadUnaligned(as: sockaddr_in6.self)
                address.v6.sin6_port = port.bigEndian
            default: continue
            }
            guard let value = IPAddressPort(address), value.family == family, !value.isLinkLocal, !found.contains(value)
            else { continue }
            found.append(value)
        }
        return found.filter { !$0.isLoopback } + found.filter(\.isLoopback)
    }
}
