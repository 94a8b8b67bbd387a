import RoundhouseMedia
import RoundhouseRooms
import Testing

@testable import RoundhouseGateway

/// What others' verifiers have taken for a token.
@Suite struct TokenAttackTests {
    private static let now = 1_800_000_000.0

    private func problem(_ token: String, _ keys: [AccessKey]) -> TokenProblem? {
        do throws(TokenProblem) {
            _ = try TokenVerifier(keys).verify(Secret(token), now: Self.now)
            return nil
        } catch {
            return error
        }
    }

    @Test(arguments: TokenIssuer.all)
    func `a token grants what it says with every algorithm, and nothing cut short or changed anywhere`(
        issuer: TokenIssuer
    ) throws {
        let key = try issuer.key("k")
        let token = try issuer.token(#"{"room":"r","publish":true,"exp":1800000001.5}"#)
        let verifier = TokenVerifier([key])
        #expect(try verifier.verify(Secret(token), now: Self.now) == AccessGrants(room: "r", permissions: .publish))
        let bytes = Array(token.utf8)
        for count in bytes.indices {
            #expect(problem(String(token.prefix(count)), [key]) != nil, "\(count)")
            var changed = bytes
            changed[count] = bytes[count] == UInt8(ascii: "A") ? UInt8(ascii: "B") : UInt8(ascii: "A")
            #expect(problem(String(decoding: changed, as: UTF8.self), [key]) != nil, "\(count)")
        }
    }

    /// A signature's last letter has spare bits: by them one token could be written in up to sixteen ways, each of which
    /// would pass for another one in a list of revoked tokens or of tokens already used.
    @Test(arguments: TokenIssuer.all)
    func `a token has one text`(issuer: TokenIssuer) throws {
        let key = try issuer.key()
        let token = try issuer.token(#"{"room":"r"}"#)
        #expect(problem(token, [key]) == nil)
        let letters = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_"
        for letter in letters where letter != token.last {
            #expect(problem(token.dropLast() + String(letter), [key]) == .signature, "\(letter)")
        }
        for end in ["=", "==", "A", "AA", " ", "\n", "\0"] { #expect(problem(token + end, [key]) == .signature) }
        for start in [" ", "\n", "A", "\u{feff}"] { #expect(problem(start + token, [key]) == .malformed) }
        #expect(problem(token.replacing(".", with: "%2E"), [key]) == .malformed)
    }

    @Test(
        arguments: TokenIssuer.all, ["none", "None", "NoNe", "NONE", "", "hs256", "HS384", "RS512", "PS256", "ES256K"])
    func `an unsigned token, or one of another algorithm, grants nothing`(issuer: TokenIssuer, name: String) throws {
        let key = try issuer.key()
        let header = #"{"alg":"\#(name)"}"#
        let unsigned = "\(TokenIssuer.encoded(header)).\(TokenIssuer.encoded(#"{"room":"r"}"#))."
        #expect(problem(unsigned, [key]) == .algorithm)
        #expect(problem(try issuer.token(#"{"room":"r"}"#, header: header), [key]) == .algorithm)
    }

    @Test(arguments: TokenIssuer.all)
    func `a token without a signature grants nothing`(issuer: TokenIssuer) throws {
        let token = try issuer.token(#"{"room":"r"}"#)
        let parts = token.split(separator: ".")
        #expect(problem("\(parts[0]).\(parts[1]).", [try issuer.key()]) == .signature)
        for text in [
            "", ".", "..", "...", ".\(parts[1]).\(parts[2])", "\(parts[0])..\(parts[2])", "..\(parts[2])",
            "\(parts[0])", "\(parts[0]).\(parts[1])", "\(token).", "\(token).\(parts[2])", ".\(token)",
        ] {
            #expect(problem(text, [try issuer.key()]) == (text.isEmpty ? .missing : .malformed), "\(text)")
        }
    }

    /// RFC 8725 §2.1: the public key, which everybody has, taken for the secret of HS256.
    @Test func `a public key is no secret, in whatever form it is used as one`() throws {
        let signed = TokenIssuer.encoded(#"{"alg":"HS256"}"#) + "." + TokenIssuer.encoded(#"{"room":"r"}"#)
        for issuer in TokenIssuer.all where issuer.algorithm != .hs256 {
            let key = try issuer.key("k")
            var forms = [Array(try issuer.pem().utf8), Array(try issuer.pem().dropLast().utf8)]
            switch key.material {
            case .rsa(let modulus, _): forms.append(modulus)
            case .p256(let x, let y): forms += [[4] + x + y, x]
            case .ed25519(let x): forms.append(x)
            case .secret: break
            }
            for form in forms {
                let code = try #require(
                    SignatureVerifier.authenticationCode(of: Array(signed.utf8), with: form))
                let token = signed + "." + TokenIssuer.encoded(code)
                #expect(problem(token, [key]) == .algorithm)
                // With a secret beside it the algorithm is one of ours, and the signature still is not.
                let secret = try AccessKey("s:0123456789abcdef0123456789abcdef")
                #expect(problem(token, [key, secret]) == .signature)
            }
        }
    }

    @Test func `a key's name selects a key of the token's algorithm, and nothing else`() throws {
        let issuers = TokenIssuer.all
        let keys = try issuers.map { try $0.key($0.algorithm.rawValue) }
        for issuer in issuers {
            func token(_ kid: String) throws -> String {
                try issuer.token(#"{"room":"r"}"#, header: #"{"alg":"\#(issuer.algorithm.rawValue)","kid":\#(kid)}"#)
            }
            #expect(problem(try token(#""\#(issuer.algorithm.rawValue)""#), keys) == nil)
            #expect(problem(try token("null"), keys) == nil)
            for other in issuers where other !== issuer {
                #expect(problem(try token(#""\#(other.algorithm.rawValue)""#), keys) == .algorithm)
            }
            for name in [
                #""""#, #""k""#, #""../../dev/null""#, #""/proc/self/environ""#, #""\u0000""#, #""' OR 1=1 --""#,
                #""RS256\u0000""#, #""rs256""#, #""http://evil.example/key""#,
            ] {
                #expect(problem(try token(name), keys) == .unknownKey, "\(name)")
            }
            for name in ["7", "true", "[]", "{}", #"["\#(issuer.algorithm.rawValue)"]"#] {
                #expect(problem(try token(name), keys) == .malformed, "\(name)")
            }
        }
    }

    /// CVE-2018-0114: verified with the key in the token itself.
    @Test func `a key that the token brings, or says where to get, is not used`() throws {
        let server = try TokenIssuer(.es256).key()
        let evil = try TokenIssuer(.es256)
        guard case .p256(let x, let y) = try evil.key().material else {
            Issue.record("not a key on P-256")
            return
        }
        let jwk = #"{"kty":"EC","crv":"P-256","x":"\#(TokenIssuer.encoded(x))","y":"\#(TokenIssuer.encoded(y))"}"#
        for field in [
            #""jwk":\#(jwk)"#, #""jku":"http://127.0.0.1:1/keys""#, #""x5u":"file:///etc/passwd""#, #""x5c":["AAAA"]"#,
            #""x5t":"AAAA""#,
        ] {
            let token = try evil.token(#"{"room":"r"}"#, header: #"{"alg":"ES256",\#(field)}"#)
            #expect(problem(token, [server]) == .signature)
            // It is no reason against a token that is ours.
            #expect(problem(token, [server, try evil.key()]) == nil)
        }
    }

    @Test(arguments: TokenIssuer.all)
    func `a header that asks for more than we do, or says something twice, is refused`(issuer: TokenIssuer) throws {
        let key = try issuer.key()
        let name = issuer.algorithm.rawValue
        for header in [
            #"{"alg":"\#(name)","crit":["exp"],"exp":1}"#, #"{"alg":"\#(name)","crit":[]}"#,
            #"{"alg":"\#(name)","crit":null}"#, #"{"alg":"\#(name)","crit":["b64"],"b64":false}"#,
            #"{"alg":"\#(name)","b64":false}"#, #"{"alg":"\#(name)","b64":null}"#, #"{"alg":"\#(name)","b64":"true"}"#,
            #"{"alg":"none","alg":"\#(name)"}"#, #"{"alg":"\#(name)","alg":"none"}"#,
            #"{"alg":"\#(name)","kid":"a","kid":"b"}"#, #"{"alg":"\#(name)","\u0061lg":"\#(name)"}"#,
            #"{"alg":["\#(name)"]}"#, #"{"alg":null}"#, #"{"Alg":"\#(name)"}"#, "{}", "[]", "null", #""\#(name)""#, "",
            #"{"alg":"\#(name)"}x"#, #"{"alg":"\#(name)",}"#, #"{'alg':'\#(name)'}"#,
            #"{"alg":"\#(name)","x":\#(String(repeating: "[", count: 500))\#(String(repeating: "]", count: 500))}"#,
        ] {
            #expect(problem(try issuer.token(#"{"room":"r"}"#, header: header), [key]) == .malformed, "\(header)")
        }
        #expect(problem(try issuer.token("{}", header: #" { "typ" : 7 , "alg" : "\#(name)" } "#), [key]) == nil)
        // Not UTF-8, and NULs of UTF-16.
        for bytes in [[0xff, 0xfe] + Array("{}".utf8), "{}".utf8.flatMap { [$0, 0] }] as [[UInt8]] {
            #expect(problem("\(TokenIssuer.encoded(bytes)).e30.AAAA", [key]) == .malformed)
        }
    }

    @Test func `claims of another type, said twice, or nested deep are refused`() throws {
        let issuer = try TokenIssuer(.hs256)
        let key = try issuer.key()
        for claims in [
            #"{"room":7}"#, #"{"room":["r"]}"#, #"{"publish":1}"#, #"{"publish":"true"}"#, #"{"admin":"true"}"#,
            #"{"admin":1}"#, #"{"name":{}}"#, #"{"peer":false}"#, #"{"exp":"1900000000"}"#, #"{"exp":true}"#,
            #"{"exp":[1900000000]}"#, #"{"nbf":"0"}"#, #"{"iat":"now"}"#, #"{"exp":1e400}"#, #"{"exp":NaN}"#,
            #"{"exp":Infinity}"#, #"{"exp":+1}"#, #"{"exp":null}"#, #"{"nbf":null}"#, #"{"iat":null}"#,
            #"{"exp":0x7fffffff}"#, #"{"room":"a","room":"*"}"#,
            #"{"admin":false,"\u0061dmin":true}"#, #"{"exp":1900000000,"exp":1}"#, "[1]", "null", "", "{",
            String(repeating: #"{"a":"#, count: 300) + "1" + String(repeating: "}", count: 300),
            String(repeating: "[", count: 2000),
        ] {
            #expect(problem(try issuer.token(claims), [key]) == .malformed, "\(claims)")
        }
    }

    @Test(
        arguments: [
            ("exp", "1800000000", .expired), ("exp", "1800000000.5", nil), ("exp", "1799999999.999", .expired),
            ("exp", "-1", .expired), ("exp", "-1e300", .expired), ("exp", "0", .expired), ("exp", "-0", .expired),
            ("exp", "1e300", nil), ("exp", "1.8000000005e9", nil), ("exp", "9223372036854775807", nil),
            ("exp", "18446744073709551616", nil), ("nbf", "1800000010", nil),
            ("nbf", "1800000010.001", .notYetValid), ("nbf", "1e300", .notYetValid), ("nbf", "-1e300", nil),
            ("nbf", "9223372036854775807", .notYetValid), ("iat", "1e300", nil),
            ("iat", "-5.5", nil),
        ] as [(String, String, TokenProblem?)])
    func `a time is any number, and is compared as one`(claim: String, value: String, expected: TokenProblem?) throws {
        let issuer = try TokenIssuer(.hs256)
        #expect(problem(try issuer.token(#"{"room":"r","\#(claim)":\#(value)}"#), [try issuer.key()]) == expected)
    }

    @Test func `a token has at most 4096 bytes, of whatever`() throws {
        let issuer = try TokenIssuer(.rs256)
        let key = try issuer.key()
        func token(_ count: Int) throws -> String {
            try issuer.token(#"{"room":"\#(String(repeating: "r", count: count))"}"#)
        }
        let overhead = try token(0).utf8.count
        let most = (4096 - overhead) / 4 * 3 - 2
        #expect(problem(try token(most), [key]) == nil)
        #expect(problem(try token(most + 6), [key]) == .tooLong)
        #expect(problem(String(repeating: "x", count: 10_000_000), [key]) == .tooLong)
        #expect(problem(String(repeating: ".", count: 4096), [key]) == .malformed)
    }

    @Test func `a key that cannot be used does not open the server`() {
        let broken = AccessKey(id: nil, material: .p256(x: [1], y: [2]))
        let verifier = TokenVerifier([broken])
        #expect(!verifier.isEmpty)
        #expect(problem("\(TokenIssuer.encoded(#"{"alg":"ES256"}"#)).e30.AAAA", [broken]) == .signature)
    }

    @Test func `a public key signs nothing`() throws {
        let key = try TokenIssuer(.edDSA).key()
        #expect(throws: AccessKey.Problem.self) {
            try AccessToken.make(AccessGrants(room: "r"), key: key, lifetime: nil, now: Self.now)
        }
    }
}
