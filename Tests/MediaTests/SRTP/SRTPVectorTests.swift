import Testing

@testable import RoundhouseMedia

@Suite("SRTP against the RFCs' vectors")
struct SRTPVectorTests {
    // RFC 3711 appendix B.3.
    let master = SRTPMasterKey(
        key: bytes(hex: "E1F97A0D3E018BE0D64FA32C06DE4139"), salt: bytes(hex: "0EC675AD498AFEEBB6960B3AABE6"))

    @Test func `session keys are those of RFC 3711 appendix B.3`() throws {
        let keys = try SRTPSessionKeys(profile: .aes128CMHMACSHA1x80, master: master, purpose: .rtp)
        let authentication = bytes(
            hex: """
                CEBE321F6FF7716B6FD4AB49AF256A156D38BAA48F0A0ACF3C34E2359E6CDBCE
                E049646C43D9327AD175578EF72270986371C10C9A369AC2F94A8C5FBCDDDC25
                6D6E919A48B610EF17C2041E474035766B68642C59BBFC2F34DB60DBDFB2
                """)
        #expect(keys.encryptionKey == bytes(hex: "C61E7A93744F39EE10734AFE3FF7A087"))
        #expect(keys.salt == bytes(hex: "30CBBC08863D8C85D49DB34A9AE1"))
        #expect(keys.authenticationKey == Array(authentication.prefix(20)))
        #expect(try SRTPSessionKeys.derived(from: master, label: 1, count: 94) == authentication)
    }

    @Test(arguments: SRTPProfile.allCases)
    func `a key of the wrong length is refused`(profile: SRTPProfile) {
        var short = masterKey(profile)
        short.salt.removeLast()
        #expect(throws: MediaError.self) { _ = try SRTPSender(profile: profile, master: short, engine: .libcrypto) }
        #expect(throws: MediaError.self) { _ = try SRTPReceiver(profile: profile, master: short) }
    }

    /// RFC 7714 §16 and §17: session keys, the packets, and what becomes of them.
    struct GCMVector: Sendable {
        var profile: SRTPProfile
        var srtp: String
        var srtcp: String

        var keys: SRTPSessionKeys {
            SRTPSessionKeys(
                encryptionKey: (0..<profile.keyLength).map { UInt8($0) }, authenticationKey: [],
                salt: bytes(hex: "517569642070726f2071756f"))
        }

        static let rtp =
            "8040f17b8041f8d35501a0b247616c6c696120657374206f6d6e697320646976697361"
            + "20696e207061727465732074726573"
        static let rtcp =
            "81c8000d4d6172734e5450314e545032525450200000042a0000e9304c756e61"
            + "deadbeefdeadbeefdeadbeefdeadbeefdeadbeef"
        static let rtcpIndex: UInt32 = 0x5D4

        static let all = [
            GCMVector(
                profile: .aeadAES128GCM,
                srtp: "8040f17b8041f8d35501a0b2f24de3a3fb34de6cacba861c9d7e4bcabe633bd50d294e6f42a5f47a51c7d19b"
                    + "36de3adf8833899d7f27beb16a9152cf765ee4390cce",
                srtcp: "81c8000d4d61727363e94885dcdab67ca727d7662f6b7e997ff5c0f76c06f32dc676a5f1730d6fda4ce09b46"
                    + "86303ded0bb9275bc84aa45896cf4d2fc5abf87245d9eade800005d4"),
            GCMVector(
                profile: .aeadAES256GCM,
                srtp: "8040f17b8041f8d35501a0b232b1de78a822fe12ef9f78fa332e33aab18012389a58e2f3b50b2a0276ffae0f"
                    + "1ba63799b87b7aa3db36dfffd6b0f9bb7878d7a76c13",
                srtcp: "81c8000d4d617273d50ae4d1f5ce5d304ba297e47d470c282c3ece5dbffe0a50a2eaa5c1110555be8415f658"
                    + "c61de0476f1b6fad1d1eb30c4446839f57ff6f6cb26ac3be800005d4"),
        ]
    }

    @Test(arguments: GCMVector.all)
    func `GCM packets are those of RFC 7714 sections 16 and 17`(vector: GCMVector) throws {
        let sealing = try SRTPCiphers(profile: vector.profile, rtp: vector.keys, rtcp: vector.keys, seals: true)
        let opening = try SRTPCiphers(profile: vector.profile, rtp: vector.keys, rtcp: vector.keys, seals: false)
        let sealer = TestSealer(
            SRTPSender(profile: vector.profile, ciphers: sealing, nextRTCPIndex: GCMVector.rtcpIndex))
        let opener = TestOpener(SRTPReceiver(profile: vector.profile, ciphers: opening))
        var packet = TestRTPPacket(sequence: 0, payloadLength: 0)
        packet.bytes = bytes(hex: GCMVector.rtp)

        let srtp = try sealer.sealed(packet, index: 0xF17B)
        #expect(srtp == bytes(hex: vector.srtp))
        #expect(opener.opened(srtp).1 == packet.bytes)

        let srtcp = try sealer.sealedRTCP(bytes(hex: GCMVector.rtcp))
        #expect(srtcp == bytes(hex: vector.srtcp))
        let (result, rtcp) = opener.openedRTCP(srtcp)
        #expect(rtcp == bytes(hex: GCMVector.rtcp))
        #expect(result == .opened(headerLength: 8, length: rtcp.count, index: UInt64(GCMVector.rtcpIndex)))
    }
}
