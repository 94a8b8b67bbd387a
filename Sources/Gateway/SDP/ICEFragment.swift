import RoundhouseRooms

/// The body of a PATCH: new candidates or new credentials of the client (RFC 8840 §9).
struct ICEFragment: Sendable {
    var usernameFragment: String?
    var password: String?
    /// `candidate` lines, which a server that never sends checks of its own has no use for.
    var candidates = 0

    init(parsing bytes: some Collection<UInt8>) throws(SDPError) {
        for line in try SDPLines.read(bytes) where line.type == "a" {
            let attribute = try SDPAttribute(line)
            switch attribute.name {
            case "ice-ufrag": usernameFragment = try ICEAttributes.checked(attribute, length: 4...256)
            case "ice-pwd": password = try ICEAttributes.checked(attribute, length: 22...256)
            case "candidate": candidates += 1
            default: break
            }
        }
    }

    /// The server's answer to a restart.
    static func text(_ parameters: ICEParameters, candidates: [ICECandidate], mid: String) -> String {
        var lines = [
            "a=ice-lite", "a=ice-ufrag:\(parameters.usernameFragment)", "a=ice-pwd:\(parameters.password)",
            "m=audio 9 UDP/TLS/RTP/SAVPF 0", "a=mid:\(mid)",
        ]
        lines += candidates.map { "a=candidate:\($0.attributeValue)" }
        lines.append("a=end-of-candidates")
        return lines.joined(separator: "\r\n") + "\r\n"
    }
}
