import CLinuxNet
import Glibc

// Safe: bytes are read and written within one `in6_addr`, which has sixteen.

extension cln_address {
    /// The kernel's form of an address.
    init(_ address: IPAddressPort) {
        self.init()
        switch address.family {
        case .ipv4:
            unsafe v4.sin_family = sa_family_t(AF_INET)
            unsafe v4.sin_port = address.port.bigEndian
            unsafe v4.sin_addr.s_addr = address.ipv4.bigEndian
        case .ipv6:
            unsafe v6.sin6_family = sa_family_t(AF_INET6)
            unsafe v6.sin6_port = address.port.bigEndian
            unsafe withUnsafeMutableBytes(of: &v6.sin6_addr) { bytes in
                unsafe bytes.storeBytes(of: address.high.bigEndian, as: UInt64.self)
                unsafe bytes.storeBytes(of: address.low.bigEndian, toByteOffset: 8, as: UInt64.self)
            }
        }
    }
}

extension IPAddressPort {
    /// `nil` for a family other than IPv4 and IPv6.
    init?(_ address: cln_address) {
        switch unsafe Int32(address.generic.sa_family) {
        case AF_INET:
            unsafe self.init(
                ipv4: UInt32(bigEndian: address.v4.sin_addr.s_addr), port: UInt16(bigEndian: address.v4.sin_port))
        case AF_INET6:
            let (high, low) = unsafe withUnsafeBytes(of: address.v6.sin6_addr) { bytes in
                unsafe (
                    UInt64(bigEndian: bytes.loadUnaligned(as: UInt64.self)),
                    UInt64(bigEndian: bytes.loadUnaligned(fromByteOffset: 8, as: UInt64.self))
                )
            }
            unsafe self.init(ipv6High: high, low: low, port: UInt16(bigEndian: address.v6.sin6_port))
        default: return nil
        }
    }

    /// Parses an IPv4 or IPv6 literal.
    package init?(text: String, port: UInt16) {
        var v4 = in_addr()
        var v6 = in6_addr()
        if unsafe inet_pton(AF_INET, text, &v4) == 1 {
            self.init(ipv4: UInt32(bigEndian: v4.s_addr), port: port)
        } else if unsafe inet_pton(AF_INET6, text, &v6) == 1 {
            let (high, low) = unsafe withUnsafeBytes(of: v6) { bytes in
                unsafe (
                    UInt64(bigEndian: bytes.loadUnaligned(as: UInt64.self)),
                    UInt64(bigEndian: bytes.loadUnaligned(fromByteOffset: 8, as: UInt64.self))
                )
            }
            self.init(ipv6High: high, low: low, port: port)
        } else {
            return nil
        }
    }
}
