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
