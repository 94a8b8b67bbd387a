import RoundhouseRooms

/// Reads keys as JSON (RFC 7517): one, or a set.
enum JSONWebKey {
    /// The keys of a text that verify signatures; keys of other kinds and for other uses are left out (RFC 7517 §5).
    /// - Throws: if the text is not JSON, a key of a kind that we use is wrong, or none is left.
    static func keys(_ text: String) throws(AccessKey.Problem) -> [AccessKey] {
        let json: JSONValue
        do throws(JSONSyntaxError) {
            json = try JSONValue(parsing: Array(text.utf8), repeatedNames: .refused)
        } catch {
            throw AccessKey.Problem(message: "no JWK: \(error)")
        }
        var keys: [AccessKey] = []
        do throws(JSONFieldError) {
            let reader = JSONReader(json)
            let all = try reader.optional("keys", "not an object")?.array(limit: 64) ?? [reader]
            for key in all { if let key = try read(key) { keys.append(key) } }
        } catch {
            throw AccessKey.Problem(message: "no JWK: \(error)")
        }
        guard !keys.isEmpty else {
            throw AccessKey.Problem(
                message: "none of its keys verifies HS256, RS256, ES256 or EdDSA (Ed25519)")
        }
        return keys
    }

    /// - Returns: `nil` for a key that is not for us.
    private static func read(_ key: JSONReader) throws(JSONFieldError) -> AccessKey? {
        let type = try key.required("kty").string()
        let curve = try key.optional("crv")?.string()
        let algorithm: JWSAlgorithm
        switch (type, curve) {
        case ("oct", _): algorithm = .hs256
        case ("RSA", _): algorithm = .rs256
        case ("EC", "P-256"): algorithm = .es256
        case ("OKP", "Ed25519"): algorithm = .edDSA
        default: return nil
        }
        if let name = try key.optional("alg")?.string(), JWSAlgorithm(name: name) != algorithm { return nil }
        if let use = try key.optional("use")?.string(), use != "sig" { return nil }
        if let uses = try key.optional("key_ops")?.array() {
            var verifies = false
            for use in uses { verifies = try use.string() == "verify" || verifies }
            guard verifies else { return nil }
        }
        // Whoever has it could sign: this server only verifies.
        if algorithm != .hs256, try key.optional("d") != nil {
            throw key.failure("is a private key: give the public one, without d")
        }
        let material: KeyMaterial
        switch algorithm {
        case .hs256: material = .secret(try bytes(key, "k"))
        case .rs256: material = .rsa(modulus: try number(key, "n"), exponent: try number(key, "e"))
        case .es256: material = .p256(x: try bytes(key, "x"), y: try bytes(key, "y"))
        case .edDSA: material = .ed25519(try bytes(key, "x"))
        }
        if let problem = material.problem { throw key.failure(problem) }
        let id = try key.optional("kid")?.string(limit: 256)
        guard id?.isEmpty != true else { throw try key.required("kid").failure("empty") }
        return AccessKey(id: id, material: material)
    }

    private static func bytes(_ key: JSONReader, _ name: String) throws(JSONFieldError) -> [UInt8] {
        let field = try key.required(name)
        guard let bytes = Base64URL.decode(Array(try field.string(limit: 8192).utf8)) else {
            throw field.failure("not base64url")
        }
        return bytes
    }

    /// Some programs write a zero in front (RFC 7518 §6.3.1.1).
    private static func number(_ key: JSONReader, _ name: String) throws(JSONFieldError) -> [UInt8] {
        Array(try bytes(key, name).drop { $0 == 0 })
    }
}
