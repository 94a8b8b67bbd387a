import Logging
import RoundhouseRooms

/// Something that an operator, or a moderator, has changed.
struct AuditEntry: Sendable, JSONRepresentable {
    /// 1, 2, 3 … from the server's start on.
    let number: UInt64
    /// Milliseconds since 1970.
    let time: Int64
    let act: String
    /// What the log's line has, the client's address included.
    let fields: Logger.Metadata

    var json: JSONValue {
        .object([
            "number": .count(number), "time": .integer(time), "act": .string(act),
            "fields": .object(fields.mapValues { .string("\($0)") }),
        ])
    }
}
