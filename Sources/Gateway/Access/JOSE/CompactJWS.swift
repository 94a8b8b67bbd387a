import RoundhouseMedia
import RoundhouseRooms

/// A signed text in three parts, as every token is one (RFC 7515 §7.1); nothing of it is verified yet.
struct CompactJWS: Redacted {
    /// The header's `alg`, as it is written there.
    let algorithm: String
    /// The header's `kid`: a name to compare, never a place to look for a key.
    let keyID: String?
    let payload: [UInt8]
    /// What the signature is for: both parts before it, with their dot.
    let signed: [UInt8]
    /// `nil` if its text is none that a signer writes.
    let signature: [UInt8]?

    /// - Returns: `nil` if this is not three parts with a header that we understand to the end. A header that carries a
    ///   key (`jwk`, `x5c`) or says where to get one (`jku`, `x5u`) is none the better or worse for it: nobody reads them.
    init?(_ text: [UInt8]) {
        let parts = text.split(separator: UInt8(ascii: "."), maxSplits: 3, omittingEmptySubsequences: false)
        guard parts.count == 3, let head = Base64URL.decode(parts[0]), let payload = Base64URL.decode(parts[1]),
            let header = try? JSONReader(JSONValue(parsing: head, repeatedNames: .refused))
        else { return nil }
        do throws(JSONFieldError) {
            algorithm = try header.required("alg").string()
            keyID = try header.optional("kid")?.string()
            // Critical fields have to be understood (RFC 7515 §4.1.11); we know none. A payload that is signed as it stands
            // (RFC 7797) would have to be among them, and is refused if it is not, too.
            guard case .object(let fields) = header.value, fields["crit"] == nil,
                fields["b64"].map({ $0 == .bool(true) }) ?? true
            else { return nil }
        } catch {
            return nil
        }
        self.payload = payload
        signed = Array(text[..<parts[1].endIndex])
        signature = Base64URL.decode(parts[2])
    }

    /// Writes a header, a payload and what signs them.
    /// - Returns: `nil` if there is no signature.
    static func make(
        algorithm: JWSAlgorithm, keyID: String?, payload: JSONValue, sign: ([UInt8]) -> [UInt8]?
    ) -> String? {
        let header = JSONValue.fields([
            "alg": .string(algorithm.rawValue), "typ": .string("JWT"), "kid": keyID.map(JSONValue.string),
        ])
        let dot = [UInt8(ascii: ".")]
        let signed = Base64URL.encode(header.serialized) + dot + Base64URL.encode(payload.serialized)
        guard let signature = sign(signed) else { return nil }
        return String(decoding: signed + dot + Base64URL.encode(signature), as: UTF8.self)
    }
}
