import RoundhouseRooms
import Testing

@testable import RoundhouseGateway

@Suite struct SignatureTests {
    @Test(arguments: RFCVectors.signatures)
    func `a signature that an RFC prints is verified with its key`(example: RFCVectors.Example) throws {
        let key = try #require(try AccessKey.keys(inFile: example.key).first)
        let verifier = try #require(SignatureVerifier(key.material))
        let jws = try #require(CompactJWS(Array(example.token.utf8)))
        let signature = try #require(jws.signature)
        #expect(JWSAlgorithm(name: jws.algorithm) == key.material.algorithm)
        #expect(verifier.verify(signature, of: jws.signed))
        if key.material.algorithm != .edDSA {
            #expect(String(decoding: jws.payload, as: UTF8.self) == RFCVectors.payloadText)
        }

        // Every other signature is none, nor is this one for anything else.
        for index in signature.indices {
            var changed = signature
            changed[index] ^= 1
            #expect(!verifier.verify(changed, of: jws.signed), "\(index)")
            #expect(!verifier.verify(Array(signature[..<index]), of: jws.signed), "\(index)")
        }
        for index in jws.signed.indices {
            var changed = jws.signed
            changed[index] ^= 0x80
            #expect(!verifier.verify(signature, of: changed), "\(index)")
        }
        for longer in [signature + [0], [0] + signature, signature + signature, []] {
            #expect(!verifier.verify(longer, of: jws.signed))
        }
    }

    @Test func `the same secret makes the signature that RFC 7515 A1 prints`() throws {
        let example = RFCVectors.signatures[0]
        let parts = example.token.split(separator: ".")
        let secret = try #require(Base64URL.decode(RFCVectors.secret.utf8))
        let code = try #require(
            SignatureVerifier.authenticationCode(of: Array("\(parts[0]).\(parts[1])".utf8), with: secret))
        #expect(TokenIssuer.encoded(code) == parts[2])
    }

    @Test(arguments: TokenIssuer.all)
    func `a signature of one algorithm is none of another's key`(issuer: TokenIssuer) throws {
        let signed = Array("a.b".utf8)
        let signature = try issuer.signature(of: signed)
        for other in TokenIssuer.all {
            let verifier = try #require(SignatureVerifier(other.key().material))
            #expect(verifier.verify(signature, of: signed) == (other === issuer), "\(other)")
        }
    }

    /// CVE-2022-21449: zeros verified whatever they were for.
    @Test func `numbers that no signature has are refused, and so is DER`() throws {
        let issuer = try TokenIssuer(.es256)
        let verifier = try #require(SignatureVerifier(issuer.key().material))
        let signed = Array("a.b".utf8)
        let signature = try issuer.signature(of: signed)
        #expect(verifier.verify(signature, of: signed))
        // The order of P-256 (FIPS 186-4, D.1.2.3), and one less and more.
        let order = try hex("ffffffff00000000ffffffffffffffffbce6faada7179e84f3b9cac2fc632551")
        let zero = [UInt8](repeating: 0, count: 32)
        let full = [UInt8](repeating: 0xff, count: 32)
        let above = Array(order.dropLast()) + [0x52], below = Array(order.dropLast()) + [0x50]
        let (r, s) = (Array(signature[..<32]), Array(signature[32...]))
        for number in [zero, order, above, full] {
            #expect(!verifier.verify(number + s, of: signed))
            #expect(!verifier.verify(r + number, of: signed))
            #expect(!verifier.verify(number + number, of: signed))
        }
        #expect(!verifier.verify(below + below, of: signed))
        #expect(!verifier.verify(s + r, of: signed))

        let der = TokenIssuer.der(signature)
        #expect(!verifier.verify(der, of: signed))
        #expect(!verifier.verify(Array(der.prefix(64)), of: signed))
    }

    /// The order of the group is added to the second half: malleable unless it is checked (RFC 8032 §8.4).
    @Test func `an Ed25519 signature has one form`() throws {
        let issuer = try TokenIssuer(.edDSA)
        let verifier = try #require(SignatureVerifier(issuer.key().material))
        let signed = Array("a.b".utf8)
        var signature = try issuer.signature(of: signed)
        let order: [UInt8] = try hex("edd3f55c1a631258d69cf7a2def9de1400000000000000000000000000000010")
        var carry = 0
        for index in order.indices {
            let sum = Int(signature[32 + index]) + Int(order[index]) + carry
            signature[32 + index] = UInt8(sum & 255)
            carry = sum >> 8
        }
        #expect(!verifier.verify(signature, of: signed))
    }

    private func hex(_ text: String) throws -> [UInt8] {
        try stride(from: 0, to: text.utf8.count, by: 2).map {
            try #require(UInt8(text.dropFirst($0).prefix(2), radix: 16))
        }
    }

    // MARK: Base64

    @Test(
        arguments: [
            ("", []), ("AA", [0]), ("AAA", [0, 0]), ("AAAA", [0, 0, 0]), ("-_-_", [0xfb, 0xff, 0xbf]), ("_w", [0xff]),
            ("A-z_", [3, 236, 255]),
        ] as [(String, [UInt8])])
    func `bytes have one text, which is read back`(text: String, bytes: [UInt8]) {
        #expect(Base64URL.decode(text.utf8) == bytes)
        #expect(Base64URL.encode(bytes) == Array(text.utf8))
    }

    @Test(arguments: [
        "A", "AAAAA", "AB", "AAB", "_x", "AA==", "AA=", "=", "+/+/", "AA AA", "AAAA\n", "\0AAA", "AÄA", "ＡＡ",
    ])
    func `every other text is none of any bytes`(text: String) { #expect(Base64URL.decode(text.utf8) == nil) }
}
