import Logging
import RoundhouseRooms
import Testing

@testable import RoundhouseGateway

@Suite struct AuditLogTests {
    @Test func `what a refusal says is put together only for a line that is written`() {
        let lines = LogLines()
        let audit = AuditLog(lines.logger)
        var described = 0
        for _ in 0..<1000 {
            audit.refused(by: "a door", from: .unknown) {
                described += 1
                return ["code": "forbidden"]
            }
        }
        // Ten at once, one a second.
        #expect((10...20).contains(described))
        #expect(lines.all.count { $0.contains("refused") } == described)
        #expect(lines.all.first?.contains("forbidden") == true)
    }

    @Test func `a mistake in a request is no refusal`() {
        let lines = LogLines()
        let audit = AuditLog(lines.logger)
        #expect(!audit.refused(RoomError(.invalidRequest, "no"), by: "a door", from: .unknown))
        #expect(lines.all.isEmpty)
        #expect(audit.refused(RoomError(.forbidden, "no"), by: "a door", from: .unknown, ["room.id": "r"]))
        #expect(lines.all.count == 1)
    }
}
