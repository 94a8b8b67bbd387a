/// An attribute line: a name, and a value if there is a colon (RFC 8866 §5.13).
struct SDPAttribute: Sendable, Hashable {
    /// Counted from 1; 0 in descriptions of our own making, and of no weight in comparisons.
    var line = 0
    var name: String
    var value: String?

    init(_ name: String, _ value: String? = nil, line: Int = 0) {
        self.name = name
        self.value = value
        self.line = line
    }

    var text: String { value.map { "a=\(name):\($0)" } ?? "a=\(name)" }

    func failure(_ message: String) -> SDPError { SDPError(line: line, "a=\(name)", message) }

    static func == (a: SDPAttribute, b: SDPAttribute) -> Bool { a.name == b.name && a.value == b.value }

    func hash(into hasher: inout Hasher) {
        hasher.combine(name)
        hasher.combine(value)
    }
}

/// A media section: an `m=` line and what follows it (RFC 8866 §5.14).
struct MediaDescription: Sendable, Hashable {
    /// The `m=` line's number.
    var line = 0
    /// `audio`, `video`, `application`, ….
    var media: String
    /// 0 means rejected, or bundle-only (RFC 9143 §6).
    var port: UInt16
    /// `UDP/TLS/RTP/SAVPF`, ….
    var transport: String
    /// Payload types for RTP; at least one.
    var formats: [String]
    /// `c=`, `b=`, `i=` and `k=` lines, in order.
    var otherLines: [SDPLine] = []
    var attributes: [SDPAttribute] = []

    static func == (a: MediaDescription, b: MediaDescription) -> Bool {
        a.media == b.media && a.port == b.port && a.transport == b.transport && a.formats == b.formats
            && a.otherLines == b.otherLines && a.attributes == b.attributes
    }

    func hash(into hasher: inout Hasher) {
        hasher.combine(media)
        hasher.combine(formats)
        hasher.combine(attributes)
    }

    func failure(_ message: String) -> SDPError { SDPError(line: line, "m=\(media)", message) }
}

/// A session description (RFC 8866): its text in parts, uninterpreted but for the structure.
struct SessionDescription: Sendable, Hashable {
    /// The `o=` line's value.
    var origin: String
    /// The `s=` line's value.
    var name: String
    /// `c=`, `t=` and what else stands before the attributes, in order.
    var otherLines: [SDPLine]
    var attributes: [SDPAttribute] = []
    var media: [MediaDescription] = []

    static let maximumSections = 64
}

// MARK: Reading

extension SessionDescription {
    /// Reads a description.
    /// - Throws: `SDPError` naming the line and the field.
    init(parsing bytes: some Collection<UInt8>) throws(SDPError) {
        var lines = try SDPLines.read(bytes)[...]
        let version = try Self.expect("v", &lines)
        guard version.value == "0" else { throw SDPError(line: version.number, "v=", "the only version is 0") }
        let origin = try Self.expect("o", &lines)
        guard origin.value.split(separator: " ").count == 6 else {
            throw SDPError(line: origin.number, "o=", "not six fields")
        }
        self.init(origin: origin.value, name: try Self.expect("s", &lines).value, otherLines: [])
        while let line = lines.popFirst() {
            switch line.type {
            case "m":
                guard media.count < Self.maximumSections else {
                    throw SDPError(line: line.number, "m=", "more than \(Self.maximumSections) media sections")
                }
                media.append(try MediaDescription(line))
            case "a":
                let attribute = try SDPAttribute(line)
                if media.isEmpty {
                    attributes.append(attribute)
                } else {
                    media[media.count - 1].attributes.append(attribute)
                }
            case "c", "b", "i", "k":
                if media.isEmpty {
                    otherLines.append(line)
                } else {
                    media[media.count - 1].otherLines.append(line)
                }
            case "t", "r", "z", "u", "e", "p":
                guard media.isEmpty else {
                    throw SDPError(line: line.number, "\(line.type)=", "stands in a media section")
                }
                otherLines.append(line)
            default: throw SDPError(line: line.number, "\(line.type)=", "unknown, or not at its place")
            }
        }
        guard otherLines.contains(where: { $0.type == "t" }) else { throw SDPError("t=", "missing") }
    }

    private static func expect(
        _ type: Character, _ lines: inout ArraySlice<SDPLine>
    ) throws(SDPError) -> SDPLine {
        guard let line = lines.popFirst() else { throw SDPError("\(type)=", "missing") }
        guard line.type == type else {
            throw SDPError(line: line.number, "\(line.type)=", "\(type)= has to stand here")
        }
        return line
    }
}

extension SDPAttribute {
    init(_ line: SDPLine) throws(SDPError) {
        let name = line.value.prefix { $0 != ":" }
        guard !name.isEmpty, name.utf8.allSatisfy({ (0x21...0x7E).contains($0) }) else {
            throw SDPError(line: line.number, "a=", "the attribute's name is not a token")
        }
        let rest = line.value[name.endIndex...]
        self.init(String(name), rest.isEmpty ? nil : String(rest.dropFirst()), line: line.number)
    }
}

extension MediaDescription {
    init(_ line: SDPLine) throws(SDPError) {
        let fields = line.value.split(separator: " ").map(String.init)
        guard fields.count >= 4 else {
            throw SDPError(line: line.number, "m=", "not media, port, transport and formats")
        }
        // A count of ports ("49170/2") has no meaning with ICE.
        guard let port = UInt16(fields[1]) else {
            throw SDPError(line: line.number, "m=", "the port is not a number from 0 to 65535")
        }
        guard fields.count <= 3 + 128 else {
            throw SDPError(line: line.number, "m=", "more than 128 formats")
        }
        self.init(
            line: line.number, media: fields[0], port: port, transport: fields[2], formats: Array(fields[3...]))
    }
}

// MARK: Writing

extension SessionDescription {
    /// The description with CRLF line ends.
    var text: String {
        var lines = ["v=0", "o=\(origin)", "s=\(name)"]
        lines += otherLines.map { "\($0.type)=\($0.value)" }
        lines += attributes.map(\.text)
        for section in media {
            lines.append(
                "m=\(section.media) \(section.port) \(section.transport) \(section.formats.joined(separator: " "))")
            lines += section.otherLines.map { "\($0.type)=\($0.value)" }
            lines += section.attributes.map(\.text)
        }
        return lines.joined(separator: "\r\n") + "\r\n"
    }
}
