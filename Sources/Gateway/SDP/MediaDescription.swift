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
