import COpenSSL
import Glibc
import Testing

@testable import RoundhouseMedia

@Suite("DTLS certificates")
struct DTLSCertificateTests {
    /// Writes a file that is gone when the test is over.
    private final class TemporaryFile {
        let path: String

        init(_ write: (OpaquePointer) -> Void) throws {
            var template = Array("/tmp/roundhouse-test-XXXXXX".utf8CString)
            let descriptor = mkstemp(&template)
            try #require(descriptor >= 0)
            close(descriptor)
            path = template.withUnsafeBufferPointer { String(cString: $0.baseAddress!) }
            let file = try #require(BIO_new_file(path, "w"))
            write(file)
            BIO_free(file)
        }

        deinit { unlink(path) }
    }

    private func certificateFile(_ certificate: DTLSCertificate) throws -> TemporaryFile {
        try TemporaryFile { PEM_write_bio_X509($0, SSL_CTX_get0_certificate(certificate.context)) }
    }

    private func keyFile(_ certificate: DTLSCertificate, passphrase: String? = nil) throws -> TemporaryFile {
        try TemporaryFile { file in
            let key = SSL_CTX_get0_privatekey(certificate.context)
            if var phrase = passphrase.map({ Array($0.utf8) }) {
                PEM_write_bio_PrivateKey(file, key, EVP_aes_128_cbc(), &phrase, Int32(phrase.count), nil, nil)
            } else {
                PEM_write_bio_PrivateKey(file, key, nil, nil, 0, nil, nil)
            }
        }
    }

    private func message(_ body: () throws -> Void) -> String {
        do {
            try body()
            return "no error"
        } catch let error as MediaError where error.code == .certificate {
            return error.message
        } catch {
            return "another error: \(error)"
        }
    }

    @Test(arguments: [false, true])
    func `only AEAD suites are spoken, unless old ones are asked for`(isLegacy: Bool) throws {
        let certificate = try DTLSCertificate(isLegacy: isLegacy)
        let suites = SSL_CTX_get_ciphers(certificate.context)
        let count = OPENSSL_sk_num(suites)
        #expect(count > 4)
        var hasOthers = false
        for index in 0..<count {
            let suite = try #require(OPENSSL_sk_value(suites, index))
            if SSL_CIPHER_is_aead(OpaquePointer(suite)) != 1 { hasOthers = true }
        }
        #expect(hasOthers == isLegacy)
    }

    @Test func `a generated certificate is its own, valid for ten years both ways, with five fingerprints`() throws {
        let first = try DTLSCertificate()
        let second = try DTLSCertificate()
        #expect(first.fingerprints.map(\.algorithm) == DTLSFingerprint.Algorithm.allCases)
        #expect(first.fingerprints.allSatisfy { $0.value.count == $0.algorithm.length })
        #expect(first.fingerprints != second.fingerprints)
        let certificate = SSL_CTX_get0_certificate(first.context)
        #expect(X509_cmp_current_time(X509_get0_notBefore(certificate)) < 0)
        #expect(X509_cmp_current_time(X509_get0_notAfter(certificate)) > 0)
        #expect(X509_verify(certificate, SSL_CTX_get0_privatekey(first.context)) == 1)
        #expect(EVP_PKEY_get_bits(SSL_CTX_get0_privatekey(first.context)) == 256)
        #expect(X509_get_signature_nid(certificate) == NID_ecdsa_with_SHA256)
    }

    @Test func `a certificate and key read from files serve a handshake`() throws {
        let original = try DTLSCertificate()
        let certificate = try certificateFile(original)
        let key = try keyFile(original)
        let loaded = try DTLSCertificate(certificateFile: certificate.path, privateKeyFile: key.path)
        #expect(loaded.fingerprints == original.fingerprints)
        let pair = try DTLSPair(client: original, server: loaded)
        pair.start(original, loaded)
        pair.exchange()
        #expect(pair.agreedKeys != nil)
    }

    @Test func `an error names the file and what is wrong with it`() throws {
        let original = try DTLSCertificate()
        let other = try DTLSCertificate()
        let certificate = try certificateFile(original)
        let key = try keyFile(original)
        let otherKey = try keyFile(other)
        let locked = try keyFile(original, passphrase: "secret")
        let text = try TemporaryFile { _ = BIO_write($0, "hello", 5) }
        func load(_ certificate: String, _ key: String) -> String {
            message { _ = try DTLSCertificate(certificateFile: certificate, privateKeyFile: key) }
        }
        #expect(load("/nonexistent/c.pem", key.path) == "cannot read /nonexistent/c.pem: No such file or directory")
        #expect(load(certificate.path, "/nonexistent/k.pem").contains("/nonexistent/k.pem: No such file"))
        #expect(load(text.path, key.path).contains("\(text.path) holds no PEM certificate"))
        #expect(load(certificate.path, text.path).contains("\(text.path) holds no PEM private key"))
        #expect(load(certificate.path, otherKey.path).contains("\(otherKey.path) does not belong to"))
        #expect(load(certificate.path, locked.path).contains("\(locked.path) is encrypted"))
        #expect(ERR_peek_error() == 0)
    }
}
