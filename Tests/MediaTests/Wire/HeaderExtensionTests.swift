import Testing

@testable import RoundhouseMedia

@Suite struct HeaderExtensionTests {
    @Test func `the router's identifiers fit a one-byte header, and every extension is found by its name`() {
        for ext in HeaderExtension.allCases {
            // RFC 8285 §4.2: 0 is padding, and 15 ends the block.
            #expect((1...14).contains(ext.routerID))
            #expect(HeaderExtension(uri: ext.uri) == ext)
            #expect(!ext.uses.isEmpty)
        }
        #expect(HeaderExtension(uri: "urn:ietf:params:rtp-hdrext:encrypt") == nil)
    }

    @Test func `an element means what was negotiated for its identifier, and nothing else`() {
        var ids = HeaderExtensionIDs()
        for identifier in UInt8.min...UInt8.max { #expect(ids.meaning(of: identifier) == nil || identifier == 0) }
        ids[.mid] = 14
        ids[.playoutDelay] = 200
        for identifier in 1...UInt8.max {
            let expected: HeaderExtension? = identifier == 14 ? .mid : identifier == 200 ? .playoutDelay : nil
            #expect(ids.meaning(of: identifier) == expected)
        }
    }

    @Test func `what two producers negotiated differently is the newer one's`() {
        var ids = HeaderExtensionIDs()
        (ids[.mid], ids[.rid]) = (1, 2)
        var newer = HeaderExtensionIDs()
        (newer[.rid], newer[.audioLevel]) = (3, 4)
        ids.merge(newer)
        #expect((ids[.mid], ids[.rid], ids[.audioLevel], ids[.absSendTime]) == (1, 3, 4, 0))
    }
}
