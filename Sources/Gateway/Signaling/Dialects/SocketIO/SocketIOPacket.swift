import RoundhouseRooms

/// One packet of Socket.IO, protocol 5: what an Engine.IO message carries.
struct SocketIOPacket: Sendable, Hashable {
    enum Kind: UInt8, Sendable {
        case connect = 0x30
        case disconnect, event, ack, connectError, binaryEvent, binaryAck
    }

    /// Why a message is no packet of Socket.IO that a client may send.
    enum FormatError: Error, Hashable {
        case empty, unknownType, badID, badJSON
        /// The packet's type and its data do not belong together.
        case badData
        /// A well-formed packet whose attachments would be binary; no event of this server has any.
        case binary
    }

    var kind: Kind
    /// `/` is the main one.
    var namespace = "/"
    /// Of an event that wants an answer, and of the answer.
    var id: UInt64?
    var data: JSONValue?

    /// An event with its arguments; `id` if an answer is wanted.
    static func event(_ name: String, _ arguments: [JSONValue], id: UInt64? = nil) -> SocketIOPacket {
        SocketIOPacket(kind: .event, id: id, data: .array([.string(name)] + arguments))
    }

    static func ack(_ id: UInt64, _ arguments: [JSONValue]) -> SocketIOPacket {
        SocketIOPacket(kind: .ack, id: id, data: .array(arguments))
    }

    /// An event with its number as a further argument: what a client says it has when it comes back (Socket.IO's
    /// connection state recovery). Nothing else has room for one.
    func numbered(_ number: UInt64) -> SocketIOPacket {
        guard kind == .event, case .array(let values) = data else { return self }
        var packet = self
        packet.data = .array(values + [.string(String(number))])
        return packet
    }

    /// `<type>[<namespace>,][<id>][<JSON>]`.
    var text: String {
        var text = String(UnicodeScalar(kind.rawValue))
        if namespace != "/" { text += namespace + "," }
        if let id { text += String(id) }
        if let data { text += data.text }
        return text
    }
}

extension SocketIOPacket {
    /// Reads a client's packet.
    init(parsing text: String) throws(FormatError) {
        var rest = Substring(text).utf8
        guard let first = rest.popFirst() else { throw .empty }
        guard let kind = Kind(rawValue: first) else { throw .unknownType }
        guard kind != .binaryEvent, kind != .binaryAck else { throw .binary }
        self.init(kind: kind)
        if rest.first == UInt8(ascii: "/") {
            let name = rest.prefix { $0 != UInt8(ascii: ",") }
            rest = rest.dropFirst(name.count + 1)
            // A query was part of the namespace's name once, and old clients still send one.
            namespace = String(Substring(name.prefix { $0 != UInt8(ascii: "?") }))
        }
        let digits = rest.prefix { (UInt8(ascii: "0")...UInt8(ascii: "9")).contains($0) }
        if !digits.isEmpty {
            guard let number = UInt64(Substring(digits)) else { throw .badID }
            id = number
            rest = rest.dropFirst(digits.count)
        }
        if !rest.isEmpty {
            guard let json = try? JSONValue(parsing: Array(rest)) else { throw .badJSON }
            data = json
        }
        try check()
    }

    private func check() throws(FormatError) {
        switch (kind, data) {
        case (.connect, nil), (.connect, .object), (.disconnect, nil): return
        case (.event, .array(let values)):
            guard case .string = values.first else { throw .badData }
        case (.ack, .array):
            guard id != nil else { throw .badData }
        default: throw .badData
        }
    }

    /// An event's name and first argument; further ones have no meaning here.
    var event: (name: String, argument: JSONValue)? {
        guard kind == .event, case .array(let values) = data, case .string(let name) = values.first else { return nil }
        return (name, values.count > 1 ? values[1] : .null)
    }
}
