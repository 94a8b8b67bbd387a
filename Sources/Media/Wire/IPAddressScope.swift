/// What an address's range says of it.
extension IPAddressPort {
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
