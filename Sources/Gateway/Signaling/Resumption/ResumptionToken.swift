import RoundhouseMedia

/// The secret by which a client proves that a session is its own.
struct ResumptionToken: Sendable {
    let secret: Secret

    /// 43 characters that need no escaping in a query or a field.
    var text: String { secret.revealed }

    /// 256 random bits.
    init(using generator: inout some RandomNumberGenerator) {
        let alphabet = Array("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_")
        var text = ""
        for _ in 0..<43 { text.append(alphabet[Int.random(in: 0..<64, using: &generator)]) }
        secret = Secret(text)
    }

    static func random() -> ResumptionToken {
        var generator = SystemRandomNumberGenerator()
        return ResumptionToken(using: &generator)
    }

    /// Takes the same time wherever the first difference is.
    func matches(_ other: Secret) -> Bool { secret.matches(other) }
}
