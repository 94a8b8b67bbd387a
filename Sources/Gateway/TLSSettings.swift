/// Where the certificate for TLS comes from.
public enum TLSSettings: Sendable, Hashable {
    /// Made at start, for trying out: browsers warn of it.
    case selfSigned
    /// Paths of PEM files: the certificate with its chain, and its key. Read again when they change.
    case files(certificate: String, privateKey: String)
}
