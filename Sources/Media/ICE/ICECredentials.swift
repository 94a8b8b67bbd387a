/// A user name fragment and password (RFC 8445 §5.3).
public struct ICECredentials: Sendable, Hashable {
    /// 4…256 ICE characters.
    public var usernameFragment: String
    /// 22…256 ICE characters.
    public var password: String

    /// Takes both as they are.
    public init(usernameFragment: String, password: String) {
        self.usernameFragment = usernameFragment
        self.password = password
    }

    /// Makes 32 random ICE characters for each part, as mediasoup does (RFC 8445 §5.3 asks for 4 and 22 at least).
    public static func random(using generator: inout some RandomNumberGenerator) -> ICECredentials {
        let alphabet = Array("abcdefghijklmnopqrstuvwxyz0123456789")
        func token() -> String {
            String((0..<32).map { _ in alphabet[Int.random(in: 0..<alphabet.count, using: &generator)] })
        }
        return ICECredentials(usernameFragment: token(), password: token())
    }
}
