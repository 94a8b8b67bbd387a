import COpenSSL
import Testing

@testable import RoundhouseGateway

@Suite struct TLSContextTests {
    private func problem(_ certificate: String, _ key: String) -> String {
        do throws(TLSProblem) {
            _ = try TLSContext(certificate: certificate, privateKey: key)
            return ""
        } catch {
            return error.description
        }
    }

    // Safe: the certificates belong to the client's SSL, which is alive.
    @Test func `a certificate with its chain and key is taken, and shown to clients`() throws {
        let files = try CertificateFiles()
        let (own, signer) = (try files.pair("own"), try files.pair("signer"))
        // Keys between certificates, as some tools write them.
        let all = try files.write(
            "all.pem",
            try files.text(of: own.certificate) + files.text(of: own.key) + files.text(of: signer.certificate))
        for key in [own.key, all] {
            let server = try TLSChannel(TLSContext(certificate: all, privateKey: key))
            let client = try TLSClient()
            try server.exchange(with: client)
            #expect(server.observer.handshakes.count == 1)
            let chain = try #require(SSL_get_peer_cert_chain(client.ssl))
            #expect(OPENSSL_sk_num(chain) == 2)
            let shown = try #require(SSL_get0_peer_certificate(client.ssl))
            #expect(X509_check_host(shown, "localhost", 0, 0, nil) == 1)
        }
    }

    @Test func `what cannot be used is refused with file and reason, and nobody is asked for a pass phrase`() throws {
        let files = try CertificateFiles()
        let (certificate, key) = try files.pair("a")
        let other = try files.pair("b")
        let locked = try files.pair("c", passphrase: "secret")
        let empty = try files.write("empty", "")
        let garbage = try files.write("garbage", "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n")
        let broken = try files.write("broken", files.text(of: certificate) + files.text(of: garbage))
        let reversed = try files.write("reversed", files.text(of: other.certificate) + files.text(of: certificate))
        for (first, second, reason) in [
            ("/does/not/exist", key, "cannot read /does/not/exist: No such file or directory"),
            (certificate, "/does/not/exist", "cannot read /does/not/exist: No such file or directory"),
            (empty, key, "\(empty) holds no PEM certificate"), (key, certificate, "\(key) holds no PEM certificate"),
            ("/", key, "/ holds no PEM certificate"), (certificate, "/", "/ holds no PEM private key"),
            (garbage, key, "\(garbage) cannot be used"), (broken, key, "\(broken) cannot be used"),
            (certificate, empty, "\(empty) holds no PEM private key"),
            (certificate, certificate, "\(certificate) holds no PEM private key"),
            (certificate, other.key, "the key in \(other.key) is not that of the first certificate in \(certificate)"),
            (reversed, key, "the key in \(key) is not that of the first certificate in \(reversed)"),
            (locked.certificate, locked.key, "the key in \(locked.key) is encrypted; store it without a pass phrase"),
        ] {
            #expect(problem(first, second).hasPrefix(reason), "\(problem(first, second))")
        }
        #expect(problem(certificate, key) == "")
        #expect(ERR_peek_error() == 0)
    }
}
