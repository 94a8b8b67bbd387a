import HTTPTypes

/// Which web pages may use this server from a browser (RFC 6454).
///
/// A program that is no browser sends no Origin, and any it likes: this keeps other people's pages out, not other people. A
/// page that somebody sees in an office could otherwise use a server there, or on their own machine, that it cannot reach.
struct OriginPolicy: Sendable {
    /// Any page is taken.
    let isOpen: Bool
    /// `scheme://host[:port]`, in lower case.
    let allowed: Set<String>

    /// - Parameter origins: beside the server's own; `any` or `*` for all.
    init(_ origins: [String] = []) {
        let origins = origins.map { $0.lowercased() }
        isOpen = origins.contains(where: Self.isAny)
        allowed = Set(origins)
    }

    /// Whether a text stands for all origins.
    static func isAny(_ text: String) -> Bool { text == "any" || text == "*" }

    /// Whether a page's request is taken. The server's own page always is.
    func allows(_ request: HTTPRequest) -> Bool {
        guard let origin = request.headerFields[.origin]?.lowercased() else { return true }
        return isOpen || allowed.contains(origin) || Self.isSame(origin, request)
    }

    /// What `Access-Control-Allow-Origin` says; `nil` if a page may not read the answer.
    func shared(with request: HTTPRequest) -> String? {
        guard !isOpen else { return "*" }
        guard let origin = request.headerFields[.origin] else { return nil }
        return allows(request) ? origin : nil
    }

    /// Whether an Origin is that of the page at the request's own host and port. The scheme is not compared: a proxy may
    /// have ended TLS.
    static func isSame(_ origin: String, _ request: HTTPRequest) -> Bool {
        guard let scheme = origin.firstRange(of: "://"), let host = request.authority?.lowercased() else {
            return false
        }
        return origin[scheme.upperBound...] == host
    }

    /// Whether a text is an origin that a browser would send.
    static func isOrigin(_ text: String) -> Bool {
        guard let scheme = text.firstRange(of: "://") else { return false }
        let name = text[..<scheme.lowerBound]
        let host = text[scheme.upperBound...]
        return !name.isEmpty && name.allSatisfy { $0.isASCII && ($0.isLetter || $0.isNumber || "+-.".contains($0)) }
            && !host.isEmpty && !host.contains { $0 == "/" || $0 == "?" || $0 == "#" || $0 == "@" || $0.isWhitespace }
    }
}

extension HTTPField.Name {
    // A token by RFC 9110 §5.6.2, so that this does not fail.
    static let forwardedFor = HTTPField.Name("X-Forwarded-For") ?? .from
}
