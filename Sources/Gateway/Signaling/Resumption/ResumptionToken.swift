/// The secret by which a client proves that a session is its own.
struct ResumptionToken: Sendable {
    /// 43 characters that need no escaping in a query or a field.
    let text: String

    /// 256 random bits.
    init(using generator: inout some RandomNumberGenerator) {
        let alphabet = Array("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_")
        var text = ""
        for _ in 0..<43 { text.append(alphabet[Int.random(in: 0..<64, using: &generator)]) }
        self.text = text
    }

    static func random() -> ResumptionToken {
        var generator = SystemRandomNumberGenerator()
        return ResumptionToken(using: &generator)
    }

    /// Takes the same time wherever the first difference is.
    func matches(_ other: String) -> Bool {
        let own = Array(text.utf8)
        let given = Array(other.utf8.prefix(own.count + 1))
        var difference = own.count ^ given.count
        for index in own.indices { difference |= Int(own[index] ^ (index < given.count ? given[index] : 0)) }
        return difference == 0
    }
}
