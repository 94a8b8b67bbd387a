import NIOCore

/// One event of a Server-Sent Events stream (HTML Living Standard §9.2.6).
struct ServerSentEvent: Sendable, Equatable {
    /// What a client that reconnects gives back in `Last-Event-ID`.
    var id: String?
    /// The event's type; without one it is `message`.
    var name: String?
    /// Any text; each of its lines becomes a `data` field.
    var data: String

    init(id: String? = nil, name: String? = nil, data: String) {
        self.id = id
        self.name = name
        self.data = data
    }

    /// A comment line: keeps proxies from ending a quiet stream, and finds out that a client is gone.
    static let ping = ByteBuffer(string: ":\n\n")

    func write(into buffer: inout ByteBuffer) {
        if let id { Self.write(field: "id", Self.line(id), into: &buffer) }
        if let name { Self.write(field: "event", Self.line(name), into: &buffer) }
        // By scalars: as a character "\r\n" is one, and none of the three line ends.
        let lines = data.utf8.split(omittingEmptySubsequences: false) { $0 == 10 || $0 == 13 }
        for line in lines { Self.write(field: "data", Substring(line), into: &buffer) }
        buffer.writeInteger(UInt8(ascii: "\n"))
    }

    private static func write(field: StaticString, _ value: Substring, into buffer: inout ByteBuffer) {
        buffer.writeStaticString(field)
        buffer.writeStaticString(": ")
        buffer.writeSubstring(value)
        buffer.writeInteger(UInt8(ascii: "\n"))
    }

    /// The first line: a field other than `data` cannot hold a line end, and an identifier no NUL.
    private static func line(_ text: String) -> Substring {
        Substring(text.utf8.prefix { $0 != 10 && $0 != 13 && $0 != 0 })
    }
}
