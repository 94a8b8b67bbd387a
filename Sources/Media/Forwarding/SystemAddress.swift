import CLinuxNet
import Glibc

extension cln_address {
    /// The kernel's form of an address.
    init(_ address: IPAddressPort) {
        self.init()
        switch address.family {
        case .ipv4:
            v4.sin_family = sa_family_t(AF_INET)
            v4.sin_port = address.port.bigEndian
            v4.sin_addr.s_addr = address.ipv4.bigEndian
        case .ipv6:
            v6.sin6_family = sa_family_t(AF_INET6)
            v6.sin6_port = address.port.bigEndian
            withUnsafeMutableBytes(of: &v6.sin6_addr) { bytes in
                bytes.storeBytes(of: address.high.bigEndian, as: UInt64.self)
                bytes.storeBytes(of: address.low.bigEndian, toByteOffset: 8, as: UInt64.self)
            }
        }
    }
}

extension IPAddressPort {
    /// `nil` for a family other than IPv4 and IPv6.
    init?(_ address: cln_address) {
        switch Int32(address.generic.sa_family) {
        case AF_INET:
            self.init(
                ipv4: UInt32(bigEndian: address.v4.sin_addr.s_addr), port: UInt16(bigEndian: address.v4.sin_port))
        case AF_INET6:
            let (high, low) = withUnsafeBytes(of: address.v6.sin6_addr) { bytes in
                (
                    UInt64(bigEndian: bytes.loadUnaligned(as: UInt64.self)),
                    UInt64(bigEndian: bytes.loadUnaligned(fromByteOffset: 8, as: UInt64.self))
                )
            }
            self.init(ipv6High: high, low: low, port: UInt16(bigEndian: address.v6.sin6_port))
        default: return nil
        }
    }

    /// Parses an IPv4 or IPv6 literal.
    init?(text: String, port: UInt16) {
        var v4 = in_addr()
        var v6 = in6_addr()
        if inet_pton(AF_INET, text, &v4) == 1 {
            self.init(ipv4: UInt32(bigEndian: v4.s_addr), port: port)
        } else if inet_pton(AF_INET6, text, &v6) == 1 {
            let (high, low) = withUnsafeBytes(of: v6) { bytes in
                (
                    UInt64(bigEndian: bytes.loadUnaligned(as: UInt64.self)),
                    UInt64(bigEndian: bytes.loadUnaligned(fromByteOffset: 8, as: UInt64.self))
                )
            }
            self.init(ipv6High: high, low: low, port: port)
        } else {
            return nil
        }
    }

    /// 127.0.0.0/8 or ::1.
    var isLoopback: Bool {
        switch family {
        case .ipv4: ipv4 >> 24 == 127
        case .ipv6: high == 0 && low == 1
        }
    }

    /// 0.0.0.0 or ::.
    var isUnspecified: Bool { high == 0 && low == 0 }

    /// 224.0.0.0/4, 255.255.255.255 or ff00::/8.
    var isMulticast: Bool {
        switch family {
        case .ipv4: ipv4 >> 28 == 0xE || ipv4 == .max
        case .ipv6: high >> 56 == 0xFF
        }
    }

    /// fe80::/10: needs a zone that ICE candidates cannot carry.
    var isLinkLocal: Bool { family == .ipv6 && high >> 54 == 0x3FA }
}

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
