import CLinuxNet
import Glibc

/// The machine's own addresses.
enum NetworkInterfaces {
    /// Addresses of interfaces that are up, of one family, with the given port; loopback last.
    static func addresses(family: IPAddressPort.Family, port: UInt16) -> [IPAddressPort] {
        // Safe: the list is read before it is freed; an address's family says how many bytes the kernel put there.
        var list: UnsafeMutablePointer<ifaddrs>?
        guard unsafe getifaddrs(&list) == 0 else { return [] }
        defer { unsafe freeifaddrs(list) }
        var found: [IPAddressPort] = []
        var item = unsafe list
        while let interface = unsafe item?.pointee {
            unsafe item = interface.ifa_next
            guard unsafe interface.ifa_flags & UInt32(IFF_UP) != 0, let socketAddress = unsafe interface.ifa_addr else {
                continue
            }
            var address = cln_address()
            switch unsafe Int32(socketAddress.pointee.sa_family) {
            case AF_INET:
                unsafe address.v4 = unsafe UnsafeRawPointer(socketAddress).loadUnaligned(as: sockaddr_in.self)
                unsafe address.v4.sin_port = port.bigEndian
            case AF_INET6:
                unsafe address.v6 = unsafe UnsafeRawPointer(socketAddress).loadUnaligned(as: sockaddr_in6.self)
                unsafe address.v6.sin6_port = port.bigEndian
            default: continue
            }
            guard let value = IPAddressPort(address), value.family == family, !value.isLinkLocal, !found.contains(value)
            else { continue }
            found.append(value)
        }
        return found.filter { !$0.isLoopback } + found.filter(\.isLoopback)
    }
}
