import Testing

@testable import RoundhouseMedia
@testable import TestSupport

/// Test vectors of RFC 5769.
enum RFC5769 {
    static let password = "VOkJxbRl1RmTxUk/WvJxBt"
    /// §2.1.
    static let request = WireSamples.hex(
        """
        00010058 2112a442 b7e7a701bc34d686fa87dfae 80220010 5354554e207465737420636c69656e74 00240004 6e0001ff
        80290008 932ff9b151263b36 00060009 6576746a3a68367659 202020
        00080014 9aeaa70cbfd8cb56781ef2b5b2d3f249c1b571a2 80280004 e57a3bcf
        """)
    /// §2.2.
    static let ipv4Response = WireSamples.hex(
        """
        0101003c 2112a442 b7e7a701bc34d686fa87dfae 8022000b 7465737420766563746f72 20 00200008 0001a147e112a643
        00080014 2b91f599fd9e90c38c7489f92af9ba53f06be7d7 80280004 c07d4c96
        """)
    /// §2.3.
    static let ipv6Response = WireSamples.hex(
        """
        01010048 2112a442 b7e7a701bc34d686fa87dfae 8022000b 7465737420766563746f72 20
        00200014 0002a1470113a9faa5d3f179bc25f4b5bed2b9d9
        00080014 a382954e4be67bf11784c97c8292c275bfe3ed41 80280004 c8fb0b4c
        """)
    /// §2.4.
    static let longTermRequest = WireSamples.hex(
        """
        00010060 2112a442 78ad3433c6ad72c029da412e 00060012 e3839ee38388e383aae38383e382afe382b9 0000
        0015001c 662f2f3439396b39353464364f4c33346f4c39465354767936347341 0014000b 6578616d706c652e6f7267 00
        00080014 f67024656dd64a3e02b8e0712e85c9a28ca89666
        """)
    /// MD5("マトリックス:example.org:TheMatrIX"), the long-term key of §2.4.
    static let longTermKey = WireSamples.hex("e8ca7ad59d5eb0518e312911d2dab2a9")
    static let transactionID = STUNTransactionID(high: 0xB7E7_A701_BC34_D686, low: 0xFA87_DFAE)
}

@Suite("STUN messages")
struct STUNMessageTests {
    private let key = HMACSHA1Key(password: RFC5769.password)

    @Test func `the sample request of RFC 5769 §2.1 is read`() throws {
        try RFC5769.request.withUnsafeBytes { buffer in
            let message = try STUNMessage(parsing: buffer)
            #expect(message.messageClass == .request && message.method == STUNMessage.bindingMethod)
            #expect(message.transactionID == RFC5769.transactionID)
            #expect(message.software.map { Array($0) } == Array("STUN test client".utf8))
            #expect(message.username.map { Array($0) } == Array("evtj:h6vY".utf8))
            #expect(message.priority == 0x6E00_01FF)
            #expect(message.controlled == 0x932F_F9B1_5126_3B36 && message.controlling == nil)
            #expect(message.hasFingerprint && !message.hasUseCandidate && message.unknownRequired.isEmpty)
            #expect(message.isAuthenticated(by: key))
            #expect(!message.isAuthenticated(by: HMACSHA1Key(password: "another")))
        }
    }

    @Test func `the sample responses of RFC 5769 §2.2 and §2.3 are read`() throws {
        try RFC5769.ipv4Response.withUnsafeBytes { buffer in
            let message = try STUNMessage(parsing: buffer)
            #expect(message.messageClass == .success)
            #expect(message.xorMappedAddress?.description == "192.0.2.1:32853")
            #expect(message.isAuthenticated(by: key) && message.hasFingerprint)
        }
        try RFC5769.ipv6Response.withUnsafeBytes { buffer in
            let message = try STUNMessage(parsing: buffer)
            #expect(message.xorMappedAddress?.description == "[2001:db8:1234:5678:11:2233:4455:6677]:32853")
            #expect(message.isAuthenticated(by: key) && message.hasFingerprint)
        }
    }

    @Test func `the sample request of RFC 5769 §2.4, with long-term authentication, is read`() throws {
        try RFC5769.longTermRequest.withUnsafeBytes { buffer in
            let message = try STUNMessage(parsing: buffer)
            #expect(message.username?.count == 18 && !message.hasFingerprint && message.unknownRequired.isEmpty)
            #expect(message.isAuthenticated(by: RFC5769.longTermKey.withUnsafeBytes { HMACSHA1Key($0) }))
        }
    }

    @Test func `the writer lays messages out as RFC 5769 §2.2 and §2.3 do`() throws {
        // The RFC pads SOFTWARE with a space, the writer with zero: integrity and fingerprint differ, so they are
        // checked by parsing.
        for address in [
            IPAddressPort(ipv4: 0xC000_0201, port: 32853),
            IPAddressPort(ipv6High: 0x2001_0DB8_1234_5678, low: 0x0011_2233_4455_6677, port: 32853),
        ] {
            let bytes = try WireSamples.written { (writer) throws(WireError) in
                var message = try STUNMessageWriter(writer, class: .success, transactionID: RFC5769.transactionID)
                try message.append(.software, text: "test vector")
                try message.appendXORMappedAddress(address)
                try message.appendMessageIntegrity(key)
                try message.appendFingerprint()
                writer = message.finish()
            }
            let sample = address.family == .ipv4 ? RFC5769.ipv4Response : RFC5769.ipv6Response
            #expect(bytes.count == sample.count)
            #expect(bytes[..<35] == sample[..<35] && bytes[35] == 0)
            #expect(bytes[36..<bytes.count - 32] == sample[36..<sample.count - 32])
            try bytes.withUnsafeBytes { buffer in
                let message = try STUNMessage(parsing: buffer)
                #expect(message.isAuthenticated(by: key) && message.hasFingerprint)
                #expect(message.xorMappedAddress == address)
            }
        }
    }

    @Test func `a written client check is read back`() throws {
        var check = STUNBindingRequest(
            transactionID: RFC5769.transactionID, username: "server:client", priority: 77, controlling: 99)
        check.hasUseCandidate = true
        check.nomination = 3
        let bytes = try WireSamples.written { (writer) throws(WireError) in
            try writer.writeUInt16(0xFFFF)  // The message need not stand at the buffer's start.
            try check.write(into: &writer, key: key)
        }
        try Array(bytes[2...]).withUnsafeBytes { buffer in
            #expect(DatagramKind.classify(buffer) == .stun)
            let message = try STUNMessage(parsing: buffer)
            #expect(message.username.map { Array($0) } == Array("server:client".utf8))
            #expect(message.priority == 77 && message.controlling == 99 && message.nomination == 3)
            #expect(message.hasUseCandidate && message.hasFingerprint && message.isAuthenticated(by: key))
        }
    }

    @Test(arguments: [UInt16(1), 0x0EF, 0xFFF, 0x800])
    func `class and method bits are interleaved`(method: UInt16) throws {
        for messageClass in [STUNClass.request, .indication, .success, .error] {
            let bytes = try WireSamples.written { (writer) throws(WireError) in
                writer = try STUNMessageWriter(
                    writer, class: messageClass, method: method, transactionID: RFC5769.transactionID
                ).finish()
            }
            try bytes.withUnsafeBytes { buffer in
                let message = try STUNMessage(parsing: buffer)
                #expect(message.messageClass == messageClass && message.method == method)
            }
        }
    }

    @Test func `one changed bit anywhere is noticed`() {
        for index in RFC5769.request.indices {
            var bytes = RFC5769.request
            bytes[index] ^= 0x10
            let isAccepted = bytes.withUnsafeBytes { buffer in
                guard let message = try? STUNMessage(parsing: buffer) else { return false }
                return message.hasFingerprint && message.isAuthenticated(by: key)
            }
            #expect(!isAccepted, "byte \(index)")
        }
    }

    @Test func `a message cut anywhere is truncated, one with bytes behind it malformed`() {
        WireSamples.forEachTruncation(of: RFC5769.request) { buffer in
            #expect(throws: WireError.truncated) { try STUNMessage(parsing: buffer) }
        }
        _ = (RFC5769.request + [0, 0, 0, 0]).withUnsafeBytes { buffer in
            #expect(throws: WireError.malformed) { try STUNMessage(parsing: buffer) }
        }
    }

    @Test func `what follows MESSAGE-INTEGRITY is ignored, and nothing may follow FINGERPRINT`() throws {
        func message(_ body: (inout STUNMessageWriter) throws(WireError) -> Void) throws -> [UInt8] {
            try WireSamples.written { (writer) throws(WireError) in
                var message = try STUNMessageWriter(writer, class: .request, transactionID: RFC5769.transactionID)
                try body(&message)
                writer = message.finish()
            }
        }
        let late = try message { (message) throws(WireError) in
            try message.appendMessageIntegrity(key)
            try message.appendFlag(.useCandidate)
            try message.appendFingerprint()
        }
        let isNominating = try late.withUnsafeBytes { try STUNMessage(parsing: $0).hasUseCandidate }
        #expect(!isNominating)
        var behind = try message { (message) throws(WireError) in
            try message.append(.fingerprint, uint32: 0)
            try message.appendFlag(.useCandidate)
        }
        // Made right for the final length, so that only its place is wrong.
        let checksum = behind[..<20].withUnsafeBytes { CRC32.checksum($0) } ^ STUNMessage.fingerprintMask
        for index in 0..<4 { behind[24 + index] = UInt8(truncatingIfNeeded: checksum >> UInt32(24 - 8 * index)) }
        _ = behind.withUnsafeBytes { buffer in
            #expect(throws: WireError.malformed) { _ = try STUNMessage(parsing: buffer) }
        }
        behind.removeLast(4)
        behind[3] = 8
        let moved = behind[..<20].withUnsafeBytes { CRC32.checksum($0) } ^ STUNMessage.fingerprintMask
        for index in 0..<4 { behind[24 + index] = UInt8(truncatingIfNeeded: moved >> UInt32(24 - 8 * index)) }
        let isLast = try behind.withUnsafeBytes { try STUNMessage(parsing: $0).hasFingerprint }
        #expect(isLast, "at the end the same attribute is right")
    }

    @Test func `unknown attributes that must be understood are listed, up to eight, and refused if too many`() throws {
        func message(attributes: Int, type: UInt16) throws -> [UInt8] {
            try WireSamples.written { (writer) throws(WireError) in
                var message = try STUNMessageWriter(writer, class: .request, transactionID: RFC5769.transactionID)
                for _ in 0..<attributes { try message.appendFlag(STUNAttributeType(rawValue: type)) }
                writer = message.finish()
            }
        }
        try message(attributes: 20, type: 0x0077).withUnsafeBytes { buffer in
            let unknown = try STUNMessage(parsing: buffer).unknownRequired
            #expect(unknown.count == 8 && unknown[0] == 0x0077)
        }
        try message(attributes: 3, type: 0xC057).withUnsafeBytes { buffer in
            let unknown = try STUNMessage(parsing: buffer).unknownRequired
            #expect(unknown.isEmpty)
        }
        _ = try message(attributes: 65, type: 0xC057).withUnsafeBytes { buffer in
            #expect(throws: WireError.tooLarge) { try STUNMessage(parsing: buffer) }
        }
    }

    @Test(arguments: [UInt16(300), 401, 487, 699])
    func `error codes are read back`(code: UInt16) throws {
        let bytes = try WireSamples.written { (writer) throws(WireError) in
            var message = try STUNMessageWriter(writer, class: .error, transactionID: RFC5769.transactionID)
            try message.appendErrorCode(code, reason: "Why not")
            writer = message.finish()
        }
        let read = try bytes.withUnsafeBytes { try STUNMessage(parsing: $0).errorCode }
        #expect(read == code)
    }
}

@Suite("SHA-1, HMAC and CRC-32")
struct STUNDigestTests {
    private func hash(_ bytes: [UInt8]) -> [UInt8] {
        var hash = SHA1()
        bytes.withUnsafeBytes { hash.update($0) }
        let digest = hash.finalize()
        return (0..<SHA1.digestLength).map { digest[$0] }
    }

    @Test(
        arguments: [
            ("abc", 1, "a9993e364706816aba3e25717850c26c9cd0d89d"),
            (
                "abcdbcdecdefdefgefghfghighijhijkijkljklmklmnlmnomnopnopq", 1,
                "84983e441c3bd26ebaae4aa1f95129e5e54670f1"
            ),
            (
                "0123456701234567012345670123456701234567012345670123456701234567", 10,
                "dea356a2cddd90c7a7ecedc5ebb563934f460452"
            ),
            ("a", 1_000_000, "34aa973cd4c4daa4f61eeb2bdbad27316534016f"),
        ])
    func `SHA-1 gives the digests of RFC 3174 §7.3`(text: String, repetitions: Int, digest: String) {
        let bytes = [[UInt8]](repeating: Array(text.utf8), count: repetitions).flatMap(\.self)
        #expect(hash(bytes) == WireSamples.hex(digest))
    }

    @Test func `the padding is right for every length around a block's end`() {
        // From Python's hashlib, over "a" repeated.
        #expect(hash([]) == WireSamples.hex("da39a3ee5e6b4b0d3255bfef95601890afd80709"))
        #expect(
            hash([UInt8](repeating: 0x61, count: 55)) == WireSamples.hex("c1c8bbdc22796e28c0e15163d20899b65621d65a"))
        #expect(
            hash([UInt8](repeating: 0x61, count: 56)) == WireSamples.hex("c2db330f6083854c99d4b5bfb6e8f29f201be699"))
        #expect(
            hash([UInt8](repeating: 0x61, count: 64)) == WireSamples.hex("0098ba824b5c16427bd7a1122a5a442a25ec644d"))
    }

    @Test(
        arguments: [
            ([UInt8](repeating: 0x0B, count: 20), Array("Hi There".utf8), "b617318655057264e28bc0b6fb378c8ef146be00"),
            (
                Array("Jefe".utf8), Array("what do ya want for nothing?".utf8),
                "effcdf6ae5eb2fa2d27416d5f184df9c259a7c79"
            ),
            (
                [UInt8](repeating: 0xAA, count: 20), [UInt8](repeating: 0xDD, count: 50),
                "125d7342b9ac11cd91a39af48aa17b4f63f175d3"
            ),
            (Array(1...25), [UInt8](repeating: 0xCD, count: 50), "4c9007f4026250c6bc8414f9bf50c86c2d7235da"),
            (
                [UInt8](repeating: 0x0C, count: 20), Array("Test With Truncation".utf8),
                "4c1a03424b55e07fe7f27be1d58bb9324a9a5a04"
            ),
            (
                [UInt8](repeating: 0xAA, count: 80),
                Array("Test Using Larger Than Block-Size Key - Hash Key First".utf8),
                "aa4ae5e15272d00e95705637ce8a3b55ed402112"
            ),
            (
                [UInt8](repeating: 0xAA, count: 80),
                Array("Test Using Larger Than Block-Size Key and Larger Than One Block-Size Data".utf8),
                "e8e99d0f45237d786d6bbaa7965c7808bbff1a91"
            ),
        ] as [([UInt8], [UInt8], String)])
    func `HMAC-SHA-1 gives the codes of RFC 2202 §3`(key: [UInt8], message: [UInt8], digest: String) {
        let key = key.withUnsafeBytes { HMACSHA1Key($0) }
        let code = message.withUnsafeBytes { key.authenticationCode(of: $0) }
        WireSamples.hex(digest).withUnsafeBytes { #expect(code.matches($0)) }
        [UInt8](repeating: 0, count: 20).withUnsafeBytes { #expect(!code.matches($0)) }
        [UInt8]().withUnsafeBytes { #expect(!code.matches($0)) }
    }

    @Test func `CRC-32 gives its published check value`() {
        // The catalog's check value of CRC-32/ISO-HDLC.
        Array("123456789".utf8).withUnsafeBytes { #expect(CRC32.checksum($0) == 0xCBF4_3926) }
    }
}
