// Safe: two bytes of a fragment are read after its length was compared.

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
    ///
    /// The fragment names no shard: see `naming`.
    public static func random(using generator: inout some RandomNumberGenerator) -> ICECredentials {
        func token() -> String {
            let bytes = (0..<32).map { _ in alphabet[Int.random(in: 0..<alphabet.count, using: &generator)] }
            return String(decoding: bytes, as: UTF8.self)
        }
        return ICECredentials(usernameFragment: token(), password: token())
    }

    private static let alphabet = Array("abcdefghijklmnopqrstuvwxyz0123456789".utf8)

    /// The same with the transport's shard in place of the fragment's first two characters: where all shards share a port,
    /// a check comes to any of them.
    func naming(shard: Int) -> ICECredentials {
        let (first, second) = shard.quotientAndRemainder(dividingBy: Self.alphabet.count)
        let name = String(decoding: [Self.alphabet[first % Self.alphabet.count], Self.alphabet[second]], as: UTF8.self)
        return ICECredentials(usernameFragment: name + usernameFragment.dropFirst(2), password: password)
    }

    /// The shard that a check's fragment names.
    static func shard(namedBy check: [UInt8]) -> Int? {
        unsafe check.withUnsafeBytes { bytes in
            unsafe ICELiteAgent.localUsernameFragment(of: bytes).flatMap { unsafe shard(namedBy: $0) }
        }
    }

    /// The shard that a fragment names, if it comes from `naming`.
    static func shard(namedBy fragment: UnsafeRawBufferPointer) -> Int? {
        guard fragment.count > 2, let first = unsafe alphabet.firstIndex(of: fragment[0]),
            let second = unsafe alphabet.firstIndex(of: fragment[1])
        else { return nil }
        return first * alphabet.count + second
    }
}
