/// What becomes of requests without TLS where the server has a certificate.
public enum PlainHTTP: String, Sendable, Hashable, CaseIterable {
    /// They are answered as over TLS.
    case allow
    /// Reading goes on over HTTPS, and all else is refused.
    case redirect
    /// All are refused.
    case refuse
}
