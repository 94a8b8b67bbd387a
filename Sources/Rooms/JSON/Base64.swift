import FoundationEssentials

/// Base64 with padding (RFC 4648 §4).
enum Base64 {
    static func encode(_ bytes: [UInt8]) -> String { Data(bytes).base64EncodedString() }

    /// - Returns: `nil` for what is not the text that `encode` makes of some bytes.
    static func decode(_ text: String) -> [UInt8]? {
        // Foundation takes padding in odd places for bytes.
        guard let data = Data(base64Encoded: text), data.base64EncodedString() == text else { return nil }
        return Array(data)
    }
}
