import FoundationEssentials
public import RoundhouseMedia

/// What deliveries are signed with, as Standard Webhooks writes it: `whsec_` and 24 to 64 bytes in Base64.
public struct WebhookSecret: Sendable, Hashable, Redacted {
    let bytes: [UInt8]

    static let prefix = "whsec_"

    /// - Returns: `nil` for anything else.
    public init?(_ text: Secret) {
        guard text.revealed.hasPrefix(Self.prefix),
            let data = Data(base64Encoded: String(text.revealed.dropFirst(Self.prefix.count))),
            (24...64).contains(data.count)
        else { return nil }
        bytes = Array(data)
    }

    /// The value of `webhook-signature`: HMAC-SHA-256 over id, time and body.
    /// - Parameter time: seconds since 1970.
    /// - Returns: `nil` if libcrypto refuses.
    func signature(id: String, time: Int64, body: [UInt8]) -> String? {
        let signed = Array("\(id).\(time).".utf8) + body
        return SignatureVerifier.authenticationCode(of: signed, with: bytes).map {
            "v1," + Data($0).base64EncodedString()
        }
    }
}
