/// What an address does at a rate, all its clients together.
enum ClientCharge: CaseIterable, Sendable {
    case requests
    /// Bytes of the bodies of requests.
    case bodies
    /// Tokens shown that were none.
    case tokens
    /// Passwords tried that were wrong.
    case passwords
}
