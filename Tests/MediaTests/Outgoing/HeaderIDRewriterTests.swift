import Testing

@testable import RoundhouseMedia

@Suite("Headers for clients with numbers of their own")
struct HeaderIDRewriterTests {
    private func header(_ elements: [UInt8]) -> [UInt8] {
        let fixed: [UInt8] = [0x90, 0x80 | 101, 0, 1, 0, 0, 0, 2, 0, 0, 0, 3, 0xBE, 0xDE, 0, 0]
        var header = fixed + elements
        while header.count % 4 != 0 { header.append(0) }
        return header
    }

    private func renumbered(_ given: [UInt8], _ change: (inout HeaderExtensionIDs) -> Void) -> [UInt8] {
        var ids = HeaderExtensionIDs()
        change(&ids)
        let renumbering = HeaderIDRewriter(ConsumerIDMapping(payloadTypes: [101: 96, 102: 97], headerExtensions: ids))
        defer { renumbering.deallocate() }
        var header = given
        header.withUnsafeMutableBytes { renumbering.apply(to: $0) }
        return header
    }

    @Test func `payload types become the client's, and the marker stays`() {
        #expect(renumbered(header([])) { _ in }[1] == 0x80 | 96)
        var rtx = header([])
        rtx[1] = 102
        #expect(renumbered(rtx) { _ in }[1] == 97)
        rtx[1] = 33
        #expect(renumbered(rtx) { _ in }[1] == 33)
    }

    @Test func `extensions get the client's ids, and those without one become padding`() {
        let given = header([
            HeaderExtension.absSendTime.routerID << 4 | 2, 1, 2, 3,
            HeaderExtension.transportWideSequence.routerID << 4 | 1, 4, 5,
            HeaderExtension.audioLevel.routerID << 4, 0x44, 0, HeaderExtension.playoutDelay.routerID << 4 | 2, 6, 7, 8,
        ])
        let result = renumbered(given) { ids in
            ids[.absSendTime] = 2
            ids[.transportWideSequence] = 14
            ids[.playoutDelay] = 5
        }
        let expected = header([2 << 4 | 2, 1, 2, 3, 14 << 4 | 1, 4, 5, 0, 0, 0, 5 << 4 | 2, 6, 7, 8])
        #expect(result[16...] == expected[16...])
    }

    @Test func `an id that a one-byte header cannot carry leaves the extension out`() {
        let result = renumbered(header([HeaderExtension.audioLevel.routerID << 4, 0x44])) { $0[.audioLevel] = 15 }
        #expect(result[16] == 0 && result[17] == 0)
    }

    @Test func `every header is rewritten within its own bytes`() {
        for head in UInt8.min...UInt8.max {
            for length in 16...24 {
                let given = Array(header([UInt8](repeating: head, count: 8)).prefix(length))
                #expect(renumbered(given) { $0[.mid] = 3 }.count == length)
            }
        }
        #expect(renumbered([0x80, 101]) { _ in } == [0x80, 101])
    }
}
