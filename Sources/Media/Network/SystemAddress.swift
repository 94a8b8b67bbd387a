import CLinuxNet
import Glibc

// Safe: bytes are read and written within one `in6_addr`, which has sixteen.

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
}
