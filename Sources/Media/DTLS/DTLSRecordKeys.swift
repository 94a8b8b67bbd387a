import COpenSSL

/// The keys of an association's records (RFC 5246 §6.3).
struct DTLSRecordKeys: Equatable {
    var cipher: DTLSCipher
    /// Protects what we send.
    var local: DTLSTrafficKey
    /// Protects what the peer sends.
    var remote: DTLSTrafficKey

    init(cipher: DTLSCipher, local: DTLSTrafficKey, remote: DTLSTrafficKey) {
        self.cipher = cipher
        self.local = local
        self.remote = remote
    }

    /// Cuts the key block of a handshake: client key, server key, client salt, server salt; there are no MAC keys.
    /// - Parameter digest: the suite's, an `EVP_MD`.
    init?(
        cipher: DTLSCipher, master: [UInt8], clientRandom: [UInt8], serverRandom: [UInt8], digest: OpaquePointer,
        isClient: Bool
    ) {
        let key = cipher.keyLength
        let salt = cipher.fixedLength
        let block = unsafe Self.pseudorandom(
            secret: master, label: "key expansion", seed: serverRandom + clientRandom, count: 2 * (key + salt),
            digest: digest)
        guard block.count == 2 * (key + salt) else { return nil }
        let client = DTLSTrafficKey(
            encryptionKey: Array(block[0..<key]), salt: Array(block[2 * key..<2 * key + salt]))
        let server = DTLSTrafficKey(
            encryptionKey: Array(block[key..<2 * key]), salt: Array(block[2 * key + salt..<2 * (key + salt)]))
        self.init(cipher: cipher, local: isClient ? client : server, remote: isClient ? server : client)
    }

    /// The pseudorandom function of TLS 1.2 (RFC 5246 §5). Empty when libcrypto refuses.
    static func pseudorandom(
        secret: [UInt8], label: String, seed: [UInt8], count: Int, digest: OpaquePointer
    ) -> [UInt8] {
        let seed = Array(label.utf8) + seed
        var output: [UInt8] = []
        var chained = seed
        while output.count < count {
            chained = unsafe authenticated(chained, secret: secret, digest: digest)
            let next = unsafe authenticated(chained + seed, secret: secret, digest: digest)
            guard !next.isEmpty else { return [] }
            output += next
        }
        return Array(output.prefix(count))
    }

    private static func authenticated(_ bytes: [UInt8], secret: [UInt8], digest: OpaquePointer) -> [UInt8] {
        var output = [UInt8](repeating: 0, count: Int(EVP_MAX_MD_SIZE))
        var length: UInt32 = 0
        // Safe: HMAC reads the lengths given and writes at most EVP_MAX_MD_SIZE bytes.
        guard
            unsafe HMAC(
                digest, secret, Int32(truncatingIfNeeded: secret.count), bytes, bytes.count, &output, &length) != nil
        else {
            ERR_clear_error()
            return []
        }
        return Array(output.prefix(Int(length)))
    }
}
