import Testing

@testable import RoundhouseGateway

@Suite("Session descriptions are read and written")
struct SDPTests {
    private func error(_ bytes: some Collection<UInt8>) -> SDPError? {
        do throws(SDPError) {
            _ = try SDPOffer(try SessionDescription(parsing: bytes))
            return nil
        } catch { return error }
    }

    @Test(arguments: OfferFile.allCases)
    func `what a program wrote is written the same way`(_ file: OfferFile) throws {
        let session = try file.session
        let again = try SessionDescription(parsing: Array(session.text.utf8))
        #expect(again == session)
        #expect(try Array(again.text.utf8) == file.bytes)
    }

    @Test(arguments: OfferFile.allCases)
    func `a description cut anywhere is refused or read, and never traps`(_ file: OfferFile) throws {
        let bytes = try file.bytes
        for length in stride(from: 0, to: bytes.count, by: 3) {
            let problem = error(bytes[..<length])
            // The last section's own lines may end anywhere; up to its `m=` line something is missing for sure.
            if length < 60 { #expect(problem != nil, "\(length)") }
        }
    }

    @Test(arguments: OfferFile.allCases)
    func `a damaged description is refused or read, and never traps`(_ file: OfferFile) throws {
        let original = try file.bytes
        var generator = SeededNumbers(state: 7)
        let values: [UInt8] = [0, 10, 13, 32, 47, 48, 57, 58, 59, 61, 126, 255]
        var refused = 0
        for _ in 0..<300 {
            var bytes = original
            for _ in 0..<4 {
                let position = Int.random(in: 0..<bytes.count, using: &generator)
                switch Int.random(in: 0..<3, using: &generator) {
                case 0: bytes[position] = values.randomElement(using: &generator) ?? 0
                case 1: bytes.remove(at: position)
                default: bytes.insert(values.randomElement(using: &generator) ?? 0, at: position)
                }
            }
            if error(bytes) != nil { refused += 1 }
        }
        #expect(refused > 50)
    }

    @Test func `a description of ten thousand lines is refused`() {
        let long = smallOffer() + Array(String(repeating: "a=x\r\n", count: 10_000).utf8)
        #expect(error(long) == SDPError(line: 2001, "description", "more than 2000 lines"))
    }

    @Test func `a line of many bytes is refused`() {
        let long = smallOffer() + Array("a=fmtp:111 \(String(repeating: "x", count: 5000))\r\n".utf8)
        #expect(error(long)?.line == 16)
    }

    @Test func `a small good offer is read`() { #expect(error(smallOffer()) == nil) }

    @Test func `empty lines at the end are an editor's, elsewhere an error`() {
        for end in ["\n", "\r\n", "\n\n\r\n"] { #expect(error(smallOffer() + Array(end.utf8)) == nil) }
        let text = String(decoding: smallOffer(), as: UTF8.self)
        #expect(error(Array(text.replacing("s=-\n", with: "s=-\n\n").utf8))?.line == 4)
    }

    @Test(arguments: [
        ("v=0", "v=1", 1, "v="), ("o=- 1 1 IN IP4 127.0.0.1", "o=- 1", 2, "o="), ("s=-", "t=0 0", 3, "t="),
        ("t=0 0\n", "", 0, "t="), ("m=audio 9", "m=audio 99999", 6, "m="), (" 111\n", "\n", 6, "m="),
        ("a=rtpmap:111 opus/48000/2", "a=rtpmap:111 opus", 15, "a=rtpmap"),
        ("a=rtpmap:111 ", "a=rtpmap:200 ", 15, "a=rtpmap"), ("opus/48000/2", "opus/48000/0", 15, "a=rtpmap"),
        ("a=rtpmap:111 opus/48000/2", "a=ssrc:x cname:y", 15, "a=ssrc"),
        ("a=rtpmap:111 opus/48000/2", "a=rtcp-fb:111", 15, "a=rtcp-fb"),
        ("a=rtpmap:111 opus/48000/2", "a=extmap:x urn:y", 15, "a=extmap"),
        ("a=rtpmap:111 opus/48000/2", "a=simulcast:send q;h", 15, "a=simulcast"),
        ("a=rtpmap:111 opus/48000/2", "a=rid:q", 15, "a=rid"),
        ("a=ice-ufrag:abcd", "a=ice-ufrag:ab", 8, "a=ice-ufrag"), ("a=ice-ufrag:abcd\n", "", 6, "m=audio"),
        ("a=ice-pwd:abcdefghijklmnopqrstuv", "a=ice-pwd:short", 9, "a=ice-pwd"),
        ("sha-256 AB", "sha-256 XX", 10, "a=fingerprint"), ("sha-256", "sha-257", 6, "m=audio"),
        ("setup:actpass", "setup:holdconn", 11, "a=setup"), ("a=mid:a\n", "", 5, "a=group"),
        ("BUNDLE a", "BUNDLE a b", 5, "a=group"), ("c=IN", "C=IN", 7, "line"), ("s=-", "s=\u{0}", 3, "s="),
        ("a=rtcp-mux", "a", 14, "line"),
    ])
    func `an error names the line and the field`(_ old: String, _ new: String, _ line: Int, _ field: String) {
        let found = error(smallOffer(replacing: old, with: new))
        #expect(found?.line == line)
        #expect(found?.field == field)
        #expect(found?.message.isEmpty == false)
    }

    @Test func `a second section without a bundle group is refused`() throws {
        let text = String(decoding: smallOffer(), as: UTF8.self)
        let section = text[try #require(text.firstRange(of: "m=audio")).lowerBound...]
        let two = text.replacing("a=group:BUNDLE a\n", with: "") + section.replacing("mid:a", with: "mid:b")
        #expect(error(Array(two.utf8))?.field == "a=group")
        let twice = text + section
        #expect(error(Array(twice.utf8))?.message.contains("a=mid:a") == true)
    }
}

/// SplitMix64: the same state gives the same numbers.
struct SeededNumbers: RandomNumberGenerator {
    var state: UInt64

    mutating func next() -> UInt64 {
        state &+= 0x9E37_79B9_7F4A_7C15
        var z = state
        z = (z ^ (z >> 30)) &* 0xBF58_476D_1CE4_E5B9
        z = (z ^ (z >> 27)) &* 0x94D0_49BB_1331_11EB
        return z ^ (z >> 31)
    }
}
