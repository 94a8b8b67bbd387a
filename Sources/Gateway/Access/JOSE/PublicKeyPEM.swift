import COpenSSL

/// Reads public keys as PEM (RFC 7468 §13), each with the name that a line `kid: NAME` above it gives.
// Safe: every object of libcrypto is freed in the function that got it; buffers are used within their calls.
enum PublicKeyPEM {
    private static let begin = "-----BEGIN "
    private static let end = "-----END "

    /// Whether a text has a boundary of PEM, wherever in it: then nothing of it is a secret.
    static func isPEM(_ text: some StringProtocol) -> Bool { text.contains(begin) || text.contains(end) }

    /// All keys of a text, in their order.
    /// - Throws: if something in it is not a public key that we use. The message says in which line it begins.
    static func keys(_ text: String) throws(AccessKey.Problem) -> [AccessKey] {
        var keys: [AccessKey] = []
        /// What the last `kid:` said, for the key below.
        var name: String?
        var block: (line: Int, text: String)?
        for (index, line) in text.trimmedLines.enumerated() {
            if var open = block {
                open.text += line + "\n"
                block = open
                guard line.hasPrefix(end) else { continue }
                keys.append(AccessKey(id: name, material: try material(open.text, line: open.line)))
                (block, name) = (nil, nil)
            } else if line.hasPrefix(begin) {
                block = (index + 1, line + "\n")
            } else if line.hasPrefix("kid:") {
                name = String(line.dropFirst(4).trimmed)
                guard let name, (1...256).contains(name.utf8.count) else {
                    throw AccessKey.Problem(message: "line \(index + 1): kid: needs a name of 1 to 256 bytes")
                }
            } else if isPEM(line), !line.hasPrefix("#") {
                throw AccessKey.Problem(
                    message: "line \(index + 1): a key in PEM begins and ends with lines of its own")
            }
        }
        if let block { throw AccessKey.Problem(message: "line \(block.line): the PEM text has no end") }
        return keys
    }

    private static func material(_ text: String, line: Int) throws(AccessKey.Problem) -> KeyMaterial {
        func problem(_ words: String) -> AccessKey.Problem { AccessKey.Problem(message: "line \(line): \(words)") }
        guard text.hasPrefix("-----BEGIN PUBLIC KEY-----\n") else {
            throw problem(
                text.prefix { $0 != "\n" }.contains("PRIVATE KEY")
                    ? "a private key: give the public one ('openssl pkey -in FILE -pubout')"
                    : "no public key: it begins with -----BEGIN PUBLIC KEY-----")
        }
        guard let key = publicKey(Array(text.utf8)) else { throw problem("no public key that libcrypto reads") }
        defer { EVP_PKEY_free(key) }
        defer { ERR_clear_error() }
        guard let material = material(of: key) else {
            throw problem("a key of a kind that is not used: it has to be RSA, EC on P-256, or Ed25519")
        }
        if let words = material.problem { throw problem(words) }
        return material
    }

    private static func publicKey(_ text: [UInt8]) -> OpaquePointer? {
        defer { ERR_clear_error() }
        return text.withUnsafeBytes { text in
            guard let source = BIO_new_mem_buf(text.baseAddress, Int32(clamping: text.count)) else { return nil }
            defer { BIO_free(source) }
            // An encrypted one would make libcrypto ask the terminal for its password.
            return PEM_read_bio_PUBKEY(source, nil, { _, _, _, _ in -1 }, nil)
        }
    }

    private static func material(of key: OpaquePointer) -> KeyMaterial? {
        switch EVP_PKEY_get_base_id(key) {
        case EVP_PKEY_RSA:
            guard let modulus = number(key, OSSL_PKEY_PARAM_RSA_N), let exponent = number(key, OSSL_PKEY_PARAM_RSA_E)
            else { return nil }
            return .rsa(modulus: modulus, exponent: exponent)
        case EVP_PKEY_EC:
            var name = [CChar](repeating: 0, count: 64)
            var count = 0
            guard EVP_PKEY_get_group_name(key, &name, name.count, &count) == 1,
                name.prefix(count).elementsEqual("prime256v1".utf8.map { CChar($0) }),
                let x = number(key, OSSL_PKEY_PARAM_EC_PUB_X), let y = number(key, OSSL_PKEY_PARAM_EC_PUB_Y)
            else { return nil }
            return .p256(x: padded(x), y: padded(y))
        case EVP_PKEY_ED25519:
            var bytes = [UInt8](repeating: 0, count: 32)
            var count = bytes.count
            guard EVP_PKEY_get_raw_public_key(key, &bytes, &count) == 1, count == 32 else { return nil }
            return .ed25519(bytes)
        default: return nil
        }
    }

    private static func number(_ key: OpaquePointer, _ name: String) -> [UInt8]? {
        var number: OpaquePointer?
        guard EVP_PKEY_get_bn_param(key, name, &number) == 1, let number else { return nil }
        defer { BN_free(number) }
        var bytes = [UInt8](repeating: 0, count: (Int(BN_num_bits(number)) + 7) / 8)
        return BN_bn2bin(number, &bytes) == bytes.count ? bytes : nil
    }

    private static func padded(_ number: [UInt8]) -> [UInt8] {
        [UInt8](repeating: 0, count: max(0, 32 - number.count)) + number
    }
}
