/// Where events are posted to: an `http` or `https` URL (RFC 3986) without user, password and fragment.
public struct WebhookAddress: Sendable, Hashable, CustomStringConvertible {
    /// Whether it is `https`.
    public let isEncrypted: Bool
    /// A name or an address, an IPv6 one without brackets.
    public let host: String
    /// The TCP port.
    public let port: Int
    /// Path and query as they stand in a request.
    let target: String

    /// - Returns: `nil` for anything else.
    public init?(_ url: String) {
        guard let scheme = url.firstRange(of: "://") else { return nil }
        switch url[..<scheme.lowerBound].lowercased() {
        case "https": isEncrypted = true
        case "http": isEncrypted = false
        default: return nil
        }
        let rest = url[scheme.upperBound...]
        let authority = rest.prefix { $0 != "/" && $0 != "?" && $0 != "#" }
        let path = rest[authority.endIndex...]
        guard !authority.contains("@"), path.utf8.allSatisfy({ (0x21...0x7e).contains($0) && $0 != UInt8(ascii: "#") })
        else { return nil }
        let afterHost: Substring
        if authority.hasPrefix("[") {
            guard let end = authority.firstIndex(of: "]") else { return nil }
            host = String(authority[..<end].dropFirst())
            afterHost = authority[end...].dropFirst()
            guard ClientAddress(parsing: host) != nil else { return nil }
        } else {
            host = String(authority.prefix { $0 != ":" })
            afterHost = authority.dropFirst(host.count)
            guard host.utf8.allSatisfy(Self.isNameByte) else { return nil }
        }
        guard !host.isEmpty, host.utf8.count <= 253 else { return nil }
        if afterHost.isEmpty {
            port = isEncrypted ? 443 : 80
        } else {
            guard afterHost.first == ":", let number = UInt16(afterHost.dropFirst()), number > 0 else { return nil }
            port = Int(number)
        }
        target = path.hasPrefix("/") ? String(path) : "/" + path
    }

    private static func isNameByte(_ byte: UInt8) -> Bool {
        switch byte {
        case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"),
            UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "."), UInt8(ascii: "-"), UInt8(ascii: "_"):
            true
        default: false
        }
    }

    /// The value of `Host`.
    var authority: String {
        let name = host.contains(":") ? "[\(host)]" : host
        return port == (isEncrypted ? 443 : 80) ? name : "\(name):\(port)"
    }

    /// Scheme, host and port: what a log may have, since a path may be somebody's secret.
    public var description: String { "\(isEncrypted ? "https" : "http")://\(authority)" }
}
