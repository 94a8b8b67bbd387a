public import RoundhouseMedia

/// The TURN server for clients that reach nothing but a port of TCP: it relays to this server's own media, and to nothing else.
public struct TURNConfiguration: Sendable {
    /// Whether there is one, on the port of HTTP at least.
    public var isEnabled = true
    /// A port of its own, for UDP and for TCP without TLS; `nil` for none.
    public var port: UInt16?
    /// What credentials are made with, the first of them, and what is taken beside; one is made at start if there is none.
    public var secrets: [Secret] = []
    /// The name and port of `turns:` that clients get, where a balancer stands before this server; `nil`: those by which they came.
    public var announcedAuthority: String?

    /// The defaults.
    public init() {}

    /// Whether a text can stand in a `turns:` URI as host and port (RFC 7065 §3.1).
    public static func isAuthority(_ text: String) -> Bool {
        !text.isEmpty && text.utf8.count <= 255
            && text.utf8.allSatisfy { byte in
                switch byte {
                case UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "a")...UInt8(ascii: "z"),
                    UInt8(ascii: "A")...UInt8(ascii: "Z"), UInt8(ascii: "."), UInt8(ascii: "-"), UInt8(ascii: ":"),
                    UInt8(ascii: "["), UInt8(ascii: "]"):
                    true
                default: false
                }
            }
    }
}
