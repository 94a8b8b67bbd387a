import RoundhouseMedia
import RoundhouseRooms

/// Reads the attributes of one section, or of the session.
struct SDPAttributes {
    private let list: [SDPAttribute]

    init(_ list: [SDPAttribute]) { self.list = list }

    func all(_ name: String) -> [SDPAttribute] { list.filter { $0.name == name } }
    func first(_ name: String) -> SDPAttribute? { list.first { $0.name == name } }

    /// The first direction attribute.
    var direction: HeaderExtensionDirection? {
        for attribute in list where attribute.value == nil {
            if let direction = HeaderExtensionDirection(rawValue: attribute.name) { return direction }
        }
        return nil
    }

    // MARK: Codecs

    /// The codecs in the order of the `m=` line's formats (RFC 8866 §6.6, §6.15; RFC 4585 §4.2).
    func codecs(
        _ kind: MediaKind, formats: [String], of section: MediaDescription
    ) throws(SDPError) -> [OfferedCodec] {
        var found: [UInt8: OfferedCodec] = [:]
        for attribute in all("rtpmap") {
            let (payloadType, codec) = try Self.codec(attribute, kind)
            // Where a type is mapped twice the first one counts.
            if found[payloadType] == nil { found[payloadType] = codec }
        }
        for attribute in all("fmtp") {
            let (payloadType, format) = try Self.payloadType(attribute)
            guard found[payloadType] != nil, found[payloadType]?.format == nil else { continue }
            found[payloadType]?.format = format
            found[payloadType]?.parameters.parameters = try Self.parameters(format, attribute)
        }
        for attribute in all("rtcp-fb") {
            let text = attribute.value ?? ""
            let words = text.split(separator: " ", maxSplits: 2).map(String.init)
            guard words.count >= 2 else { throw attribute.failure("not a payload type and a feedback type") }
            let feedback = RTCPFeedback(type: words[1], parameter: words.count > 2 ? words[2] : "")
            if words[0] == "*" {
                for payloadType in found.keys { found[payloadType]?.parameters.rtcpFeedback.append(feedback) }
            } else {
                guard let payloadType = UInt8(words[0]), payloadType < 128 else {
                    throw attribute.failure("the payload type is neither * nor a number below 128")
                }
                found[payloadType]?.parameters.rtcpFeedback.append(feedback)
            }
        }
        var ordered: [OfferedCodec] = []
        for format in formats {
            guard let payloadType = UInt8(format), payloadType < 128 else {
                throw section.failure("the format \"\(format.prefix(16))\" is not a payload type below 128")
            }
            guard let codec = found.removeValue(forKey: payloadType) ?? Self.assigned(payloadType, kind) else {
                continue
            }
            ordered.append(codec)
        }
        return ordered
    }

    private static func codec(
        _ attribute: SDPAttribute, _ kind: MediaKind
    ) throws(SDPError) -> (UInt8, OfferedCodec) {
        let (payloadType, encoding) = try payloadType(attribute)
        let fields = encoding.split(separator: "/", omittingEmptySubsequences: false)
        guard fields.count >= 2, let name = fields.first, !name.isEmpty, !name.contains(" "),
            let clockRate = UInt32(fields[1]), clockRate > 0
        else { throw attribute.failure("not a name, a slash and a clock rate") }
        var channels: UInt8?
        if fields.count > 2 {
            guard let count = UInt8(fields[2]), count > 0 else {
                throw attribute.failure("the number of channels is not 1 to 255")
            }
            channels = count
        }
        return (
            payloadType,
            OfferedCodec(
                parameters: RTPCodecParameters(
                    mimeType: "\(kind.rawValue)/\(name)", payloadType: payloadType, clockRate: clockRate,
                    channels: channels))
        )
    }

    /// The payload types that need no rtpmap (RFC 3551 §6).
    private static func assigned(_ payloadType: UInt8, _ kind: MediaKind) -> OfferedCodec? {
        guard kind == .audio, let name = [0: "PCMU", 8: "PCMA", 9: "G722"][payloadType] else { return nil }
        return OfferedCodec(
            parameters: RTPCodecParameters(mimeType: "audio/\(name)", payloadType: payloadType, clockRate: 8000))
    }

    private static func payloadType(_ attribute: SDPAttribute) throws(SDPError) -> (UInt8, String) {
        let value = attribute.value ?? ""
        let number = value.prefix { $0 != " " }
        guard let payloadType = UInt8(number), payloadType < 128 else {
            throw attribute.failure("does not start with a payload type below 128")
        }
        let rest = value[number.endIndex...].drop { $0 == " " }
        guard !rest.isEmpty else { throw attribute.failure("says nothing of its payload type") }
        return (payloadType, String(rest))
    }

    /// `name=value;…`; what has no name (RED's list, telephone events) is no parameter.
    private static func parameters(
        _ format: String, _ attribute: SDPAttribute
    ) throws(SDPError) -> [String: CodecParameter] {
        var parameters: [String: CodecParameter] = [:]
        for part in format.split(separator: ";") {
            let trimmed = part.drop { $0 == " " }
            guard let equals = trimmed.firstIndex(of: "=") else { continue }
            let name = trimmed[..<equals].lowercased()
            var value = trimmed[trimmed.index(after: equals)...]
            while value.last == " " { value.removeLast() }
            guard !name.isEmpty, parameters.count < 64 else {
                throw attribute.failure("a parameter has no name, or there are more than 64")
            }
            if let number = Int(value), String(number) == value {
                parameters[name] = .integer(number)
            } else {
                parameters[name] = .string(String(value))
            }
        }
        return parameters
    }

    // MARK: Header extensions

    func extensions() throws(SDPError) -> [OfferedExtension] {
        var found: [OfferedExtension] = []
        for attribute in all("extmap") {
            let words = (attribute.value ?? "").split(separator: " ")
            guard words.count >= 2, let id = UInt16(words[0].prefix { $0 != "/" }) else {
                throw attribute.failure("not a number and a URI")
            }
            // Others than these are for two-byte headers, or to be renumbered by the answer (RFC 8285 §5).
            let direction = words[0].split(separator: "/").dropFirst().first
                .flatMap { HeaderExtensionDirection(rawValue: String($0)) }
            guard (1...14).contains(id), !found.contains(where: { UInt16($0.id) == id }) else { continue }
            found.append(
                OfferedExtension(id: UInt8(truncatingIfNeeded: id), uri: String(words[1]), direction: direction))
        }
        return found
    }

    // MARK: Streams

    /// The RIDs of `a=simulcast:send`; of alternatives the first, paused or not (RFC 8853 §5.1).
    func simulcastRIDs() throws(SDPError) -> [String] {
        var declared: [String] = []
        for attribute in all("rid") {
            let words = (attribute.value ?? "").split(separator: " ")
            guard words.count >= 2, words[1] == "send" || words[1] == "recv" else {
                throw attribute.failure("not an identifier and send or recv")
            }
            guard words[0].utf8.count <= 16 else { throw attribute.failure("the identifier has more than 16 bytes") }
            if words[1] == "send" { declared.append(String(words[0])) }
        }
        // The drafts' "send rid=…" means nothing to anybody now, and its offers are otherwise good.
        let simulcast = first("simulcast").flatMap { $0.value?.contains("rid=") == true ? nil : $0 }
        guard let attribute = simulcast else { return declared.count == 1 ? declared : [] }
        let words = (attribute.value ?? "").split(separator: " ")
        guard let index = words.firstIndex(of: "send") else { return [] }
        guard index + 1 < words.count else { throw attribute.failure("nothing follows \"send\"") }
        var rids: [String] = []
        for stream in words[index + 1].split(separator: ";") {
            let choice = stream.prefix { $0 != "," }
            let rid = String(choice.first == "~" ? choice.dropFirst() : choice)
            guard declared.contains(rid) else { throw attribute.failure("\"\(rid)\" has no a=rid line with send") }
            guard !rids.contains(rid) else { throw attribute.failure("\"\(rid)\" stands twice") }
            rids.append(rid)
        }
        guard (1...16).contains(rids.count) else { throw attribute.failure("not 1 to 16 streams") }
        return rids
    }

    /// The streams by SSRC: those of a SIM group in its order, else the first one, each with what FID gives it.
    func streams() throws(SDPError) -> (streams: [RTPEncodingParameters], cname: String?) {
        var order: [UInt32] = []
        var cname: String?
        for attribute in all("ssrc") {
            let words = (attribute.value ?? "").split(separator: " ", maxSplits: 1)
            guard let first = words.first, let ssrc = UInt32(first) else { throw attribute.failure("not an SSRC") }
            if !order.contains(ssrc) { order.append(ssrc) }
            if words.count > 1, words[1].hasPrefix("cname:"), cname == nil { cname = String(words[1].dropFirst(6)) }
            guard order.count <= 64 else { throw attribute.failure("more than 64 SSRCs") }
        }
        if let name = cname, name.utf8.count > 255 { cname = nil }
        var repairs: [UInt32: UInt32] = [:]
        var simulcast: [UInt32] = []
        for attribute in all("ssrc-group") {
            let words = (attribute.value ?? "").split(separator: " ")
            var members: [UInt32] = []
            for word in words.dropFirst() {
                guard let ssrc = UInt32(word) else { throw attribute.failure("\"\(word.prefix(16))\" is not an SSRC") }
                members.append(ssrc)
            }
            switch words.first {
            case "FID" where members.count == 2: repairs[members[0]] = members[1]
            case "SIM" where members.count <= 16: simulcast = members
            default: break
            }
        }
        let chosen = simulcast.isEmpty ? Array(order.filter { !repairs.values.contains($0) }.prefix(1)) : simulcast
        return (chosen.map { RTPEncodingParameters(ssrc: $0, rtxSSRC: repairs[$0]) }, cname)
    }
}
