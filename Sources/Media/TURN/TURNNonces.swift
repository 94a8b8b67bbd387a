/// Nonces that no server has to remember: a time, and a code for it and the client's address (RFC 8489 §9.2).
struct TURNNonces {
    private let key: String
    private static let codeLength = 10

    /// - Parameter key: random, for this server alone.
    init(key: String) { self.key = key }

    /// - Parameter time: in seconds since 1970.
    func make(for client: IPAddressPort, at time: Int64) -> String {
        let stamp = String(time, radix: 16)
        return stamp + "-" + code(stamp, client)
    }

    /// Whether a nonce was made here for the client, and lately.
    func isGood(_ nonce: String, of client: IPAddressPort, at time: Int64) -> Bool {
        let parts = nonce.split(separator: "-", omittingEmptySubsequences: false)
        guard parts.count == 2, parts[0].utf8.count <= 12, let made = Int64(parts[0], radix: 16) else { return false }
        let isRecent = (0...TURNLimits.nonceLifetime).contains(time - made)
        return Secret(code(String(parts[0]), client)).matches(Secret(String(parts[1]))) && isRecent
    }

    private func code(_ stamp: String, _ client: IPAddressPort) -> String {
        let code = TURNCredential.code(of: Array("\(stamp) \(client)".utf8), key)
        return code.prefix(Self.codeLength).map { ($0 < 16 ? "0" : "") + String($0, radix: 16) }.joined()
    }
}
