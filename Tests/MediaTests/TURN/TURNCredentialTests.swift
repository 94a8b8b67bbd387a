import Testing

@testable import RoundhouseMedia

@Suite("Credentials of TURN")
struct TURNCredentialTests {
    /// RFC 5769 §2.4.
    private static let sample: [UInt8] = [
        0x00, 0x01, 0x00, 0x60, 0x21, 0x12, 0xa4, 0x42, 0x78, 0xad, 0x34, 0x33, 0xc6, 0xad, 0x72, 0xc0, 0x29, 0xda,
        0x41,
        0x2e, 0x00, 0x06, 0x00, 0x12, 0xe3, 0x83, 0x9e, 0xe3, 0x83, 0x88, 0xe3, 0x83, 0xaa, 0xe3, 0x83, 0x83, 0xe3,
        0x82,
        0xaf, 0xe3, 0x82, 0xb9, 0x00, 0x00, 0x00, 0x15, 0x00, 0x1c, 0x66, 0x2f, 0x2f, 0x34, 0x39, 0x39, 0x6b, 0x39,
        0x35,
        0x34, 0x64, 0x36, 0x4f, 0x4c, 0x33, 0x34, 0x6f, 0x4c, 0x39, 0x46, 0x53, 0x54, 0x76, 0x79, 0x36, 0x34, 0x73,
        0x41,
        0x00, 0x14, 0x00, 0x0b, 0x65, 0x78, 0x61, 0x6d, 0x70, 0x6c, 0x65, 0x2e, 0x6f, 0x72, 0x67, 0x00, 0x00, 0x08,
        0x00,
        0x14, 0xf6, 0x70, 0x24, 0x65, 0x6d, 0xd6, 0x4a, 0x3e, 0x02, 0xb8, 0xe0, 0x71, 0x2e, 0x85, 0xc9, 0xa2, 0x8c,
        0xa8,
        0x96, 0x66,
    ]

    @Test func `the long-term sample of RFC 5769 is authenticated by its key and by no other`() throws {
        let username = "\u{30de}\u{30c8}\u{30ea}\u{30c3}\u{30af}\u{30b9}"
        let key = TURNCredential.key(username: username, realm: "example.org", password: "TheMatrIX")
        let wrong = TURNCredential.key(username: username, realm: "example.org", password: "TheMatrix")
        try Self.sample.withUnsafeBytes { bytes in
            let message = try STUNMessage(parsing: bytes)
            #expect(message.isAuthenticated(by: key) && !message.isAuthenticated(by: wrong))
            let read = try TURNMessage(parsing: bytes)
            #expect(read.username == username && read.realm == "example.org" && read.hasIntegrity)
            #expect(read.nonce == "f//499k954d6OL34oL9FSTvy64sA")
        }
    }

    /// RFC 1321 A.5.
    @Test(arguments: [
        ("", "d41d8cd98f00b204e9800998ecf8427e"), ("abc", "900150983cd24fb0d6963f7d28e17f72"),
        (
            "12345678901234567890123456789012345678901234567890123456789012345678901234567890",
            "57edf4a22be3c955ac49da2e2107b67a"
        ),
    ])
    func `MD5 gives the digests of RFC 1321`(text: String, digest: String) {
        let hexadecimal = MD5.digest(of: Array(text.utf8)).map { ($0 < 16 ? "0" : "") + String($0, radix: 16) }
        #expect(hexadecimal.joined() == digest)
    }

    @Test func `a password is what other servers with the secret expect`() {
        // printf 1800000000:alice | openssl dgst -sha1 -hmac 'north star' -binary | base64
        let credential = TURNCredential(holder: "alice", expiry: 1_800_000_000, secret: Secret("north star"))
        #expect(
            credential.username == "1800000000:alice" && credential.password.revealed == "Fy2wdrXWs0qVEBqsPMUiVtB5amE=")
        #expect(!"\(credential)".contains(credential.password.revealed))
    }

    @Test func `usernames without a time are none`() {
        for text in ["", ":", "alice", "x:alice", "-5:alice", "+5:alice", " 5:a", "1234567890123:alice", "٣:a"] {
            #expect(TURNCredential.expiry(of: text) == nil, "\(text)")
        }
        #expect(TURNCredential.expiry(of: "5:a:b") == 5 && TURNCredential.holder(of: "5:a:b") == "a:b")
    }

    @Test func `a nonce is good for its client and an hour`() {
        let nonces = TURNNonces(key: "key")
        let client = IPAddressPort(ipv4: 1, port: 1)
        let nonce = nonces.make(for: client, at: 5000)
        #expect(nonces.isGood(nonce, of: client, at: 5000) && nonces.isGood(nonce, of: client, at: 8600))
        #expect(!nonces.isGood(nonce, of: client, at: 8601) && !nonces.isGood(nonce, of: client, at: 4999))
        #expect(!nonces.isGood(nonce, of: client.withPort(2), at: 5000))
        #expect(!TURNNonces(key: "other").isGood(nonce, of: client, at: 5000))
        for wrong in ["", "-", "1388-", String(nonce.dropLast()), nonce + "0", "zz" + nonce, "--"] {
            #expect(!nonces.isGood(wrong, of: client, at: 5000), "\(wrong)")
        }
    }
}
