import COpenSSL
import RoundhouseMedia
import Testing

#if canImport(Glibc)
    import Glibc
#elseif canImport(Musl)
    import Musl
#endif

/// Certificates and keys as PEM files in a folder of their own, gone with the object.
// Safe: pointers into arrays are used within their calls; objects of libcrypto are freed where they were made.
final class CertificateFiles {
    private let folder: String
    private var names: [String] = []

    init() throws {
        var template = Array("/tmp/roundhouse-tls-XXXXXX".utf8CString)
        folder = String(cString: try #require(mkdtemp(&template)))
    }

    deinit {
        for name in names { unlink(name) }
        rmdir(folder)
    }

    func write(_ name: String, _ text: String) throws -> String {
        let path = folder + "/" + name
        let file = try #require(fopen(path, "w"))
        fputs(text, file)
        fclose(file)
        names.append(path)
        return path
    }

    func text(of path: String) throws -> String {
        let file = try #require(fopen(path, "r"))
        defer { fclose(file) }
        var bytes = [UInt8](repeating: 0, count: 65_536)
        let count = fread(&bytes, 1, bytes.count, file)
        return String(decoding: bytes[..<count], as: UTF8.self)
    }

    /// A certificate and its key.
    func pair(_ name: String, passphrase: String? = nil) throws -> (certificate: String, key: String) {
        let made = try SelfSignedCertificate.make()
        let certificate = try made.certificate.withUnsafeBufferPointer { bytes in
            var start = bytes.baseAddress
            return try #require(d2i_X509(nil, &start, bytes.count))
        }
        defer { X509_free(certificate) }
        let key = try made.privateKey.withUnsafeBufferPointer { bytes in
            var start = bytes.baseAddress
            return try #require(d2i_AutoPrivateKey(nil, &start, bytes.count))
        }
        defer { EVP_PKEY_free(key) }
        let certificateText = try pem { PEM_write_bio_X509($0, certificate) }
        let secret = Array((passphrase ?? "").utf8)
        let keyText = try pem {
            PEM_write_bio_PrivateKey(
                $0, key, passphrase == nil ? nil : EVP_aes_128_cbc(), secret, CInt(secret.count), nil, nil)
        }
        return (try write(name + ".pem", certificateText), try write(name + ".key", keyText))
    }

    private func pem(_ write: (OpaquePointer) -> CInt) throws -> String {
        let sink = try #require(BIO_new(BIO_s_mem()))
        defer { BIO_free(sink) }
        try #require(write(sink) == 1)
        var bytes = [UInt8](repeating: 0, count: 8192)
        let count = Int(BIO_read(sink, &bytes, CInt(bytes.count)))
        return String(decoding: bytes[..<count], as: UTF8.self)
    }
}
