import HTTPTypes

/// What a client shows in header fields instead of its URL, which proxies write into their logs.
enum ShownSecret {
    /// `name.value` among a WebSocket's subprotocols: all that a browser's page can send beside the URL.
    static func subprotocol(_ name: String, _ fields: HTTPFields) -> String? {
        let offered = fields[.secWebSocketProtocol]?.split(separator: ",") ?? []
        return offered.lazy.map(\.trimmed).first { $0.hasPrefix(name + ".") }.map {
            String($0.dropFirst(name.count + 1))
        }
    }

    /// A room's password, percent-encoded: neither a subprotocol nor a field's value may hold any character.
    static func password(_ fields: HTTPFields) -> String? {
        (fields[.roomPassword] ?? subprotocol("password", fields)).flatMap {
            RequestTarget.decode(Substring($0), plusIsSpace: false)
        }
    }
}

extension HTTPField.Name {
    static let roomPassword = HTTPField.Name("Room-Password")!  // '!' okay: a token.
}
