import COpenSSL

/// Makes certificates that nobody has signed but their own key.
// Safe: every object of libcrypto is checked for being there and freed by the function that made it; `i2d` functions are
// called twice, first for the length, then with exactly that many bytes.
package enum SelfSignedCertificate {
    /// Makes an EC P-256 key and a certificate for `localhost`, valid from yesterday for 90 days. Browsers warn of it.
    /// - Returns: both in DER.
    package static func make() throws(MediaError) -> (certificate: [UInt8], privateKey: [UInt8]) {
        guard let key = unsafe rh_EVP_EC_gen("P-256") else {
            throw DTLSCertificate.failure("cannot make an EC P-256 key")
        }
        defer { unsafe EVP_PKEY_free(key) }
        guard let certificate = unsafe X509_new() else { throw DTLSCertificate.failure("cannot make a certificate") }
        defer { unsafe X509_free(certificate) }
        let day = 86_400
        guard
            let names = unsafe X509V3_EXT_conf_nid(nil, nil, NID_subject_alt_name, "DNS:localhost,IP:127.0.0.1,IP:::1")
        else { throw DTLSCertificate.failure("cannot make a certificate's names") }
        defer { unsafe X509_EXTENSION_free(names) }
        guard unsafe X509_add_ext(certificate, names, -1) == 1 else {
            throw DTLSCertificate.failure("cannot add a certificate's names")
        }
        try unsafe fill(certificate, key: key, from: -day, to: 90 * day)
        let certificateBytes = unsafe encode { unsafe i2d_X509(certificate, $0) }
        let keyBytes = unsafe encode { unsafe i2d_PrivateKey(key, $0) }
        guard !certificateBytes.isEmpty, !keyBytes.isEmpty else {
            throw DTLSCertificate.failure("cannot encode a certificate")
        }
        return (certificateBytes, keyBytes)
    }

    /// Fills in everything but extensions, and signs.
    /// - Parameters: `from` and `to` are the validity in seconds from now.
    static func fill(_ certificate: OpaquePointer, key: OpaquePointer, from: Int, to: Int) throws(MediaError) {
        var serial: UInt64 = 0
        let name = unsafe X509_get_subject_name(certificate)
        let made =
            unsafe withUnsafeMutableBytes(of: &serial) { unsafe RAND_bytes($0.baseAddress, 8) } == 1
            && X509_set_version(certificate, 2) == 1
            // A serial number is positive (RFC 5280 §4.1.2.2).
            && ASN1_INTEGER_set_uint64(X509_get_serialNumber(certificate), serial >> 1 | 1) == 1
            && X509_gmtime_adj(X509_getm_notBefore(certificate), from) != nil
            && X509_gmtime_adj(X509_getm_notAfter(certificate), to) != nil
            && X509_NAME_add_entry_by_txt(name, "CN", MBSTRING_UTF8, "roundhouse", -1, -1, 0) == 1
            && X509_set_issuer_name(certificate, name) == 1
            && X509_set_pubkey(certificate, key) == 1
            && X509_sign(certificate, key, EVP_sha256()) > 0
        guard made else { throw DTLSCertificate.failure("cannot make a self-signed certificate") }
    }

    /// What one of libcrypto's `i2d` functions makes, in DER; empty when it fails.
    static func encode(
        _ encoder: (UnsafeMutablePointer<UnsafeMutablePointer<UInt8>?>?) -> CInt
    ) -> [UInt8] {
        let length = Int(encoder(nil))
        guard length > 0 else { return [] }
        return unsafe [UInt8](unsafeUninitializedCapacity: length) { buffer, count in
            var next = buffer.baseAddress
            count = unsafe max(Int(encoder(&next)), 0)
        }
    }
}
