import COpenSSL

#if canImport(Glibc)
    import Glibc
#elseif canImport(Musl)
    import Musl
#endif

/// Reads certificates and keys from PEM files, and says what is wrong with a file that does not hold them.
// Safe: every object of libcrypto is freed by the function that made it; a context counts the references that it keeps.
enum TLSFile {
    /// Has `context` show the first certificate of a file to clients, and the further ones as those that sign it.
    static func useCertificates(_ path: String, in context: OpaquePointer) throws(TLSProblem) {
        BIO_free(try open(path))
        ERR_clear_error()
        guard SSL_CTX_use_certificate_chain_file(context, path) == 1 else {
            let code = ERR_peek_error()
            let isNone = ERR_GET_LIB(code) == ERR_LIB_PEM && ERR_GET_REASON(code) == PEM_R_NO_START_LINE
            let reason = TLSProblem.noted("it cannot be read")
            throw isNone
                ? TLSProblem("\(path) holds no PEM certificate (\"BEGIN CERTIFICATE\")")
                : TLSProblem("\(path) cannot be used: \(reason)")
        }
    }

    /// Has `context` sign with the private key of a file, which has to be that of its certificate.
    static func usePrivateKey(_ path: String, of certificate: String, in context: OpaquePointer) throws(TLSProblem) {
        let key = try privateKey(path)
        defer { EVP_PKEY_free(key) }
        guard X509_check_private_key(SSL_CTX_get0_certificate(context), key) == 1 else {
            ERR_clear_error()
            throw TLSProblem(
                "the key in \(path) is not that of the first certificate in \(certificate): give the key that it was made "
                    + "with, and put the server's own certificate before those that sign it")
        }
        guard SSL_CTX_use_PrivateKey(context, key) == 1 else {
            throw TLSProblem("\(path) cannot be used: \(TLSProblem.noted("libssl does not take this key"))")
        }
    }

    /// The caller frees it.
    private static func privateKey(_ path: String) throws(TLSProblem) -> OpaquePointer {
        let file = try open(path)
        defer { BIO_free(file) }
        var isEncrypted = false
        let key = withUnsafeMutablePointer(to: &isEncrypted) {
            PEM_read_bio_PrivateKey(file, nil, tlsRefusePassphrase, UnsafeMutableRawPointer($0))
        }
        ERR_clear_error()
        if let key { return key }
        throw TLSProblem(
            isEncrypted
                ? "the key in \(path) is encrypted; store it without a pass phrase (openssl pkey -in \(path) -out …)"
                : "\(path) holds no PEM private key (\"BEGIN PRIVATE KEY\")")
    }

    /// The caller frees it.
    private static func open(_ path: String) throws(TLSProblem) -> OpaquePointer {
        guard let file = BIO_new_file(path, "r") else {
            let reason = String(cString: strerror(errno))
            ERR_clear_error()
            throw TLSProblem("cannot read \(path): \(reason)")
        }
        return file
    }
}

/// Answers that there is no pass phrase, since nobody is there to be asked for one, and notes the question.
// Safe: `user` is the address of a `Bool` that is alive for the call, or there is none.
func tlsRefusePassphrase(
    _ buffer: UnsafeMutablePointer<CChar>?, _ size: CInt, _ writing: CInt, _ user: UnsafeMutableRawPointer?
) -> CInt {
    user?.assumingMemoryBound(to: Bool.self).pointee = true
    return -1
}
