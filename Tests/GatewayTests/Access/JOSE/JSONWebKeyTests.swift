import Testing

@testable import RoundhouseGateway

@Suite struct JSONWebKeyTests {
    private func problem(_ text: String) -> String? {
        do throws(AccessKey.Problem) {
            _ = try AccessKey.keys(inFile: text)
            return nil
        } catch {
            return error.message
        }
    }

    @Test func `of a set those keys are taken that verify signatures`() throws {
        let published = try AccessKey.keys(inFile: RFCVectors.publicKeys)
        // The other is for encryption.
        #expect(published.map(\.id) == ["2011-04-29"])
        #expect(published.map(\.material.algorithm) == [.rs256])
        #expect(published.allSatisfy { !$0.canSign })
        let shared = try AccessKey.keys(inFile: RFCVectors.symmetricKeys)
        #expect(shared.map(\.id) == ["HMAC key used in JWS spec Appendix A.1 example"])
        #expect(shared.map(\.canSign) == [true])

        let point = RFCVectors.signatures[2].key.dropLast()
        for left in [
            #","use":"enc"}"#, #","alg":"ES384"}"#, #","alg":"ECDH-ES"}"#, #","key_ops":["deriveKey"]}"#,
            #","alg":"es256"}"#, #","alg":"none"}"#,
        ] {
            #expect(problem(point + left)?.contains("none of its keys") == true, "\(left)")
        }
        for taken in [#","use":"sig"}"#, #","alg":"ES256"}"#, #","key_ops":["verify"],"x5c":["AA"],"x5t":7}"#] {
            #expect(try AccessKey.keys(inFile: point + taken).count == 1)
        }
        for text in [
            #"{"keys":[]}"#, #"{"kty":"EC","crv":"P-521"}"#, #"{"kty":"OKP","crv":"X25519"}"#, #"{"kty":"AKP"}"#,
        ] {
            #expect(problem(text)?.contains("none of its keys") == true, "\(text)")
        }
    }

    /// RFC 7517 A.2 lists private keys. Whoever reads this server's files must not be able to make tokens with them.
    @Test func `a private key is refused, and the reason does not show it`() throws {
        let secret = "870MB6gfuTJ4HtUnUvYMyJpr5eUZNP4Bk43bVdj3eAE"
        let key =
            #"{"kty":"EC","crv":"P-256","x":"MKBCTNIcKUSDii11ySs3526iDZ8AiTo7Tu6KPAqv7D4","#
            + #""y":"4Etl6SRW2YiLUrN5vfvVHuhp7x8PxltmWWlbbM4IFyM","d":"\#(secret)","kid":"1"}"#
        let words = try #require(problem(#"{"keys":[\#(key)]}"#))
        #expect(words.contains("keys[0]") && words.contains("private") && !words.contains("870MB"))
        let pem = "-----BEGIN PRIVATE KEY-----\n\(secret)\n-----END PRIVATE KEY-----\n"
        #expect(problem(pem)?.contains("line 1: a private key") == true)
        #expect(problem(pem)?.contains("870MB") == false)
    }

    @Test(arguments: [
        (#"{"kty":"oct","k":"AAAA"}"#, "k", "32 bytes"), (#"{"kty":"oct"}"#, "k", "missing"),
        (#"{"kty":"oct","k":"AB"}"#, "k", "base64url"), (#"{"kty":"oct","k":7}"#, "k", "string"),
        (#"{"kty":"oct","k":"\#(RFCVectors.secret)","kid":7}"#, "kid", "string"),
        (#"{"kty":"oct","k":"\#(RFCVectors.secret)","kid":""}"#, "kid", "empty"),
        (#"{"kty":"oct","k":"\#(RFCVectors.secret)","k":"\#(RFCVectors.secret)"}"#, "no JWK", "twice"),
        (#"{"kty":7}"#, "kty", "string"), (#"{"keys":7}"#, "keys", "array"), (#"{"keys":[7]}"#, "keys[0]", "object"),
        (#"{"keys":[{"kty":"oct"}"#, "no JWK", "byte"), (#"{"keys":[{}]}"#, "keys[0].kty", "missing"),
        (#"{"kty":"EC","crv":"P-256","x":"AA","y":"AA"}"#, "no JWK", "32 bytes"),
        (#"{"kty":"OKP","crv":"Ed25519","x":"AA"}"#, "no JWK", "32 bytes"),
        (#"{"kty":"RSA","n":"AQAB","e":"AQAB"}"#, "no JWK", "2048"),
        (#"{"kty":"RSA","n":"\#(RFCVectors.modulus)"}"#, "e", "missing"),
        (#"{"kty":"RSA","n":"\#(RFCVectors.modulus)","e":"AQ"}"#, "no JWK", "odd"),
        (#"{"kty":"RSA","n":"\#(RFCVectors.modulus)","e":"AAAC"}"#, "no JWK", "odd"),
        (#"{"kty":"RSA","n":"\#(RFCVectors.modulus)","e":"AQAAAAAB"}"#, "no JWK", "odd"),
        (#"{"kty":"RSA","n":"\#(RFCVectors.modulus.dropLast(2))gw","e":"AQAB","d":""}"#, "no JWK", "private"),
    ])
    func `a wrong key is an error that names its field and shows no value`(text: String, place: String, words: String) {
        let said = problem(text) ?? ""
        #expect(said.contains(place) && said.contains(words), "\(said)")
        #expect(!said.contains(RFCVectors.secret) && !said.contains("AQAB"))
    }

    /// An invalid point may make the verifier work in a weaker group (RFC 7518 §6.2.2, "invalid curve").
    @Test func `a point that is not on its curve is no key`() {
        let key = RFCVectors.signatures[2].key.replacing("f83O", with: "f83P")
        #expect(problem(key)?.contains("libcrypto") == true)
    }

    @Test func `an RSA key has 2048 to 8192 bits, and a zero before it does no harm`() throws {
        let bytes = try #require(Base64URL.decode(RFCVectors.modulus.utf8))
        func set(_ modulus: [UInt8]) -> String { #"{"kty":"RSA","e":"AAEAAQ","n":"\#(TokenIssuer.encoded(modulus))"}"# }
        #expect(try AccessKey.keys(inFile: set([0] + bytes)) == AccessKey.keys(inFile: set(bytes)))
        #expect(problem(set(Array(bytes.dropFirst())))?.contains("2040") == true)
        #expect(problem(set([1] + [UInt8](repeating: 0, count: 1023) + [1]))?.contains("8193") == true)
        #expect(problem(set(bytes.dropLast() + [0x82]))?.contains("odd") == true)
        let weak = try TokenIssuer(.rs256, bits: 1024)
        #expect(problem(try weak.pem())?.contains("2048") == true)
    }

    @Test(arguments: TokenIssuer.all.filter { $0.algorithm != .hs256 })
    func `a public key in PEM is the key, with the name above it`(issuer: TokenIssuer) throws {
        let pem = try issuer.pem()
        let two = try AccessKey.keys(
            inFile: "# comment\r\n\r\nkid: 2026/a b \n" + pem.replacing("\n", with: "\r\n") + "\n" + pem)
        #expect(two.map(\.id) == ["2026/a b", nil])
        #expect(Set(two.map(\.material)).count == 1 && two[0].material.algorithm == issuer.algorithm)

        for count in pem.indices.dropFirst(12) where count < pem.index(before: pem.endIndex) {
            #expect(problem(String(pem[..<count])) != nil)
        }
        #expect(problem(pem.replacing("PUBLIC KEY", with: "CERTIFICATE"))?.contains("line 1: no public key") == true)
        #expect(problem(pem + "kid:\n" + pem)?.contains("kid") == true)
        #expect(problem(pem.replacing("MI", with: "MM").replacing("MC", with: "MM").replacing("MF", with: "MM")) != nil)
    }

    /// Else whoever has the public key could make tokens (RFC 8725 §2.1).
    @Test(arguments: TokenIssuer.all.filter { $0.algorithm != .hs256 })
    func `a public key never becomes a secret`(issuer: TokenIssuer) throws {
        #expect(throws: AccessKey.Problem.self) { try AccessKey(try issuer.pem()) }
        for example in RFCVectors.signatures.dropFirst() {
            #expect(throws: AccessKey.Problem.self) { try AccessKey(example.key) }
            for count in 60..<example.key.utf8.count {
                #expect(problem(String(example.key.prefix(count))) != nil)
            }
        }
    }

    @Test func `no line of a public key becomes a secret, wherever it stands and whatever is around it`() throws {
        let pem = try TokenIssuer(.rs256).pem()
        let jwk = RFCVectors.signatures[2].key
        let ssh = "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIJrXgB1WCWKvvHcKGSbVGqjVE5WYwxvzkSCGZNXGVVrE ada@example.com"
        // The name of a secret before it, a text cut at its beginning, the first or the last line alone.
        for text in [
            "k:" + pem, "k: " + pem, String(pem.dropFirst()), String(pem.dropFirst(30)), " \(pem.prefix(26))",
            "secret-secret-secret-secret-secret\nx\(pem)", "k:" + jwk, "[\(jwk)]", "[\n\(jwk)\n]", "x \(jwk)", ssh,
            "k:" + ssh,
        ] {
            #expect(problem(text) != nil, "\(text)")
            #expect(throws: AccessKey.Problem.self, "\(text)") { try AccessKey(text) }
        }
        // The mark of UTF-8 is no part of a text.
        #expect(try AccessKey.keys(inFile: "\u{feff}" + pem) == AccessKey.keys(inFile: pem))
        #expect(try AccessKey.keys(inFile: "\u{feff}" + jwk) == AccessKey.keys(inFile: jwk))
        let secret = "0123456789abcdef0123456789abcdef"
        #expect(try AccessKey.keys(inFile: "\u{feff}\(secret)\n# -----BEGIN PUBLIC KEY-----") == [AccessKey(secret)])
    }

    /// libcrypto would ask the terminal for a password, and a server that starts would wait for it.
    @Test func `a public key that says that it is encrypted is refused without a question`() throws {
        let head = "-----BEGIN PUBLIC KEY-----"
        let encrypted = try TokenIssuer(.es256).pem().replacing(
            head, with: "\(head)\nProc-Type: 4,ENCRYPTED\nDEK-Info: AES-128-CBC,\(String(repeating: "0", count: 32))\n")
        #expect(problem(encrypted)?.contains("line 1: no public key") == true)
    }

    @Test func `a secret may begin with a brace, and lines may end as on Windows`() throws {
        let (first, second) = (String(repeating: "{", count: 32), String(repeating: "}", count: 32))
        let keys = try AccessKey.keys(inFile: "\(first)\r\nk:\(second)\r\n")
        #expect(keys == [try AccessKey(first), try AccessKey("k:\(second)")])
    }
}
