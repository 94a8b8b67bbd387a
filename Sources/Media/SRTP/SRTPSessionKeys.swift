import COpenSSL

/// The session keys of one direction, for RTP or RTCP (RFC 3711 §4.3). Key derivation rate zero: derived once.
struct SRTPSessionKeys: Equatable {
    /// What the keys are for: the three labels of RFC 3711 §4.3.2 begin here.
    enum Purpose: UInt8 { case rtp = 0, rtcp = 3 }

    /// HMAC-SHA1's key is 160 bits long (RFC 3711 §5.2); the AEAD profiles have none.
    static let authenticationKeyLength = 20

    var encryptionKey: [UInt8]
    var authenticationKey: [UInt8]
    var salt: [UInt8]

    init(encryptionKey: [UInt8], authenticationKey: [UInt8], salt: [UInt8]) {
        self.encryptionKey = encryptionKey
        self.authenticationKey = authenticationKey
        self.salt = salt
    }

    /// Derives them from the master key, whose lengths have to be the profile's.
    init(profile: SRTPProfile, master: SRTPMasterKey, purpose: Purpose) throws(MediaError) {
        guard master.fits(profile) else {
            throw MediaError(
                .invalidSetting,
                "\(profile.rawValue) takes a key of \(profile.keyLength) and a salt of \(profile.saltLength) bytes")
        }
        let first = purpose.rawValue
        let derive = { (offset: UInt8, count: Int) throws(MediaError) -> [UInt8] in
            try Self.derived(from: master, label: first + offset, count: count)
        }
        encryptionKey = try derive(0, profile.keyLength)
        authenticationKey = profile.isAEAD ? [] : try derive(1, Self.authenticationKeyLength)
        salt = try derive(2, profile.saltLength)
    }

    /// AES in counter mode over zeros, keyed with the master key, from (salt XOR label · 2^48) · 2^16
    /// (RFC 3711 §4.3.1, §4.3.3). A salt of 96 bits is continued with zeros to 112 (RFC 7714 §11).
    static func derived(from master: SRTPMasterKey, label: UInt8, count: Int) throws(MediaError) -> [UInt8] {
        var counter = [UInt8](repeating: 0, count: 16)
        for (position, byte) in master.salt.prefix(14).enumerated() { counter[position] = byte }
        counter[7] ^= label
        let zeros = [UInt8](repeating: 0, count: count)
        var output = zeros
        var written: Int32 = 0
        let cipher = unsafe master.key.count == 32 ? EVP_aes_256_ctr() : EVP_aes_128_ctr()
        guard let context = unsafe EVP_CIPHER_CTX_new() else { throw MediaError(.system, "libcrypto is out of memory") }
        defer { unsafe EVP_CIPHER_CTX_free(context) }
        guard unsafe EVP_EncryptInit_ex(context, cipher, nil, master.key, counter) == 1,
            unsafe EVP_EncryptUpdate(context, &output, &written, zeros, Int32(truncatingIfNeeded: count)) == 1
        else {
            ERR_clear_error()
            throw MediaError(.system, "libcrypto cannot derive SRTP keys")
        }
        return output
    }
}
