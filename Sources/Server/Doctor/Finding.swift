import RoundhouseRooms

/// One thing that was looked at, and what it means for the server.
struct Finding: Sendable {
    enum Level: String {
        case ok
        /// It works, but not for everybody or not as well as it could.
        case warning
        /// The server does not start, or nobody gets through.
        case failure
    }

    let level: Level
    /// A setting's name, or what was looked at.
    let subject: String
    /// What was found, and what to do about it.
    let text: String

    static func ok(_ subject: String, _ text: String) -> Finding { Finding(level: .ok, subject: subject, text: text) }

    static func warning(_ subject: String, _ text: String) -> Finding {
        Finding(level: .warning, subject: subject, text: text)
    }

    static func failure(_ subject: String, _ text: String) -> Finding {
        Finding(level: .failure, subject: subject, text: text)
    }

    /// A line for people: `warning  media         …`.
    var line: String {
        let columns = [(level.rawValue, 9), (subject, 15)]
        return columns.map { $0 + String(repeating: " ", count: max(1, $1 - $0.count)) }.joined() + text + "\n"
    }

    /// `{"level": "warning", "subject": "media", "text": "…"}`
    var json: JSONValue {
        .object(["level": .string(level.rawValue), "subject": .string(subject), "text": .string(text)])
    }
}
