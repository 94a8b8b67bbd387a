/// A request target's path, cut at its slashes, and its query, both percent-decoded (RFC 3986 §2.1).
struct RequestTarget: Sendable, Equatable {
    /// The path's segments; none for "/". A segment may hold any character, a slash too.
    var path: [String]
    /// Name and value pairs in order; a name without "=" has an empty value.
    var query: [(name: String, value: String)]

    /// - Returns: `nil` if a percent sign is not followed by two hex digits, the result is not UTF-8, or holds a NUL.
    init?(_ target: String) {
        // The absolute form "http://host/path" (RFC 9112 §3.2.2) names the same resource as its path.
        var rest = Substring(target)
        if let scheme = rest.firstRange(of: "://"), !rest[..<scheme.lowerBound].contains("/") {
            let afterHost = rest[scheme.upperBound...]
            rest = afterHost.firstIndex(of: "/").map { afterHost[$0...] } ?? "/"
        }
        rest = rest.prefix { $0 != "#" }
        let pathText = rest.prefix { $0 != "?" }
        var path: [String] = []
        for segment in pathText.split(separator: "/", omittingEmptySubsequences: false).dropFirst() {
            guard let decoded = Self.decode(segment, plusIsSpace: false) else { return nil }
            path.append(decoded)
        }
        if path == [""] { path = [] }
        var query: [(name: String, value: String)] = []
        for pair in rest.dropFirst(pathText.count + 1).split(separator: "&") {
            let name = pair.prefix { $0 != "=" }
            guard let decodedName = Self.decode(name, plusIsSpace: true),
                let value = Self.decode(pair.dropFirst(name.count + 1), plusIsSpace: true)
            else { return nil }
            query.append((decodedName, value))
        }
        self.path = path
        self.query = query
    }

    /// The first value of a query item.
    subscript(name: String) -> String? { query.first { $0.name == name }?.value }

    static func == (a: RequestTarget, b: RequestTarget) -> Bool {
        a.path == b.path && a.query.elementsEqual(b.query) { $0 == $1 }
    }

    static func decode(_ text: Substring, plusIsSpace: Bool) -> String? {
        var bytes: [UInt8] = []
        var iterator = text.utf8.makeIterator()
        while let byte = iterator.next() {
            switch byte {
            case UInt8(ascii: "%"):
                guard let high = iterator.next().flatMap(hexValue), let low = iterator.next().flatMap(hexValue) else {
                    return nil
                }
                bytes.append(high << 4 | low)
            case UInt8(ascii: "+") where plusIsSpace: bytes.append(UInt8(ascii: " "))
            default: bytes.append(byte)
            }
        }
        guard !bytes.contains(0) else { return nil }
        return String(validating: bytes, as: UTF8.self)
    }

    private static func hexValue(_ byte: UInt8) -> UInt8? {
        switch byte {
        case UInt8(ascii: "0")...UInt8(ascii: "9"): byte - UInt8(ascii: "0")
        case UInt8(ascii: "a")...UInt8(ascii: "f"): byte - UInt8(ascii: "a") + 10
        case UInt8(ascii: "A")...UInt8(ascii: "F"): byte - UInt8(ascii: "A") + 10
        default: nil
        }
    }
}

extension GatewayLimits {
    /// Bytes that a request's body may have, by its target: those of peers are signaling messages, those of Engine.IO several.
    func bodyBytes(at target: String) -> Int {
        if ["/socket.io/", "/socket.io?"].contains(where: target.hasPrefix) { return max(postBytes, messageBytes) }
        return target.hasPrefix("/rooms/") ? messageBytes : bodyBytes
    }
}
