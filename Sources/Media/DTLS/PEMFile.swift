import COpenSSL
import Glibc

/// Reads one object from a PEM file, and says what is wrong with a file that does not hold it.
enum PEMFile {
    /// The first certificate of a file; the caller frees it.
    static func certificate(_ path: String) throws(MediaError) -> OpaquePointer {
        let file = try unsafe open(path)
        defer { unsafe BIO_free(file) }
        guard let certificate = unsafe PEM_read_bio_X509(file, nil, nil, nil) else {
            ERR_clear_error()
            throw MediaError(.certificate, "\(path) holds no PEM certificate (\"BEGIN CERTIFICATE\")")
        }
        ERR_clear_error()
        return unsafe certificate
    }

    /// The private key of a file; the caller frees it. Keys that ask for a pass phrase are refused.
    static func privateKey(_ path: String) throws(MediaError) -> OpaquePointer {
        let file = try unsafe open(path)
        defer { unsafe BIO_free(file) }
        var asked = false
        let key = unsafe withUnsafeMutablePointer(to: &asked) { asked in
            unsafe PEM_read_bio_PrivateKey(file, nil, pemRefusePassphrase, UnsafeMutableRawPointer(asked))
        }
        ERR_clear_error()
        if let key = unsafe key { return unsafe key }
        throw MediaError(
            .certificate,
            asked
                ? "the key in \(path) is encrypted; store it without a pass phrase"
                : "\(path) holds no PEM private key (\"BEGIN PRIVATE KEY\")")
    }

    private static func open(_ path: String) throws(MediaError) -> OpaquePointer {
        guard let file = unsafe BIO_new_file(path, "r") else {
            let reason = unsafe String(cString: strerror(errno))
            ERR_clear_error()
            throw MediaError(.certificate, "cannot read \(path): \(reason)")
        }
        return unsafe file
    }
}

/// Answers a pass phrase callback with "none", and notes that it was asked.
// Safe: `user` is the address of the `Bool` in `PEMFile.privateKey`, alive for the call.
private func pemRefusePassphrase(
    _ buffer: UnsafeMutablePointer<CChar>?, _ size: Int32, _ writing: Int32, _ user: UnsafeMutableRawPointer?
) -> Int32 {
    unsafe user?.assumingMemoryBound(to: Bool.self).pointee = true
    return -1
}
