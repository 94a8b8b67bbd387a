import RoundhouseMedia
import RoundhouseRooms

/// Writes the answer to an offer.
struct SDPAnswer {
    /// What becomes of one offered section.
    enum Section: Sendable {
        case rejected
        /// The client sends with these parameters.
        case receives(RTPParameters)
        /// The client gets these parameters' stream.
        case sends(RTPParameters, streamID: String, trackID: String)
        /// Data channels, with messages of so many bytes at most.
        case channels(largestMessage: UInt32)
    }

    let offer: SDPOffer
    /// One for each offered section, in order (RFC 3264 §6).
    let sections: [Section]
    let transport: WebRtcTransportDescription
    /// The `o=` line's session identifier, 63 bits.
    let sessionID: UInt64

    var description: SessionDescription {
        var answer = SessionDescription(
            origin: "- \(sessionID) 1 IN IP4 127.0.0.1", name: "-",
            otherLines: [SDPLine(number: 0, type: "t", value: "0 0")])
        let accepted = zip(offer.media, sections).filter { !$0.1.isRejected }.map(\.0.mid)
        // The group keeps the offer's order, so that the tagged section is the same (RFC 9143 §7.3.1).
        let bundle = offer.bundle.filter(accepted.contains)
        if !bundle.isEmpty, offer.media.allSatisfy(\.hasMID) {
            answer.attributes.append(SDPAttribute("group", "BUNDLE \(bundle.joined(separator: " "))"))
        }
        // Without it a sender of AV1 leaves its layers' structure out: it needs the long form, the rest the short one.
        if offer.allowsMixedExtensions { answer.attributes.append(SDPAttribute("extmap-allow-mixed")) }
        answer.attributes.append(SDPAttribute("ice-lite"))
        answer.attributes.append(SDPAttribute("msid-semantic", " WMS *"))
        answer.media = zip(offer.media, sections).map { offered, section in
            switch section {
            case .rejected: return rejected(offered)
            case .receives(let parameters): return receiving(offered, parameters)
            case .sends(let parameters, let streamID, let trackID):
                return sending(offered, parameters, "\(streamID) \(trackID)")
            case .channels(let largest): return channels(offered, largest)
            }
        }
        return answer
    }

    /// What RFC 3264 §6 wants of it is its place and port 0; GStreamer 1.22 and aiortc refuse an answer in which it lacks
    /// what sections that are used have.
    private func rejected(_ offered: OfferedMedia) -> MediaDescription {
        var section = MediaDescription(
            media: offered.description.media, port: 0, transport: offered.description.transport,
            formats: offered.description.formats)
        section.otherLines = [SDPLine(number: 0, type: "c", value: "IN IP4 0.0.0.0")]
        section.attributes = named(offered) + [SDPAttribute("inactive"), SDPAttribute("rtcp-mux")] + transportLines
        if offered.kind == nil {
            section.attributes.removeAll { $0.name == "rtcp-mux" }
            section.attributes += offered.description.attributes.filter { $0.name == "sctp-port" }
        }
        for codec in offered.codecs where codec.isMedia {
            section.attributes += Self.lines(of: codec.parameters, offered).filter { $0.name != "rtcp-fb" }
        }
        return section
    }

    private func named(_ offered: OfferedMedia) -> [SDPAttribute] {
        offered.hasMID ? [SDPAttribute("mid", offered.mid)] : []
    }

    /// Where the transport stands: the same in every section.
    private var transportLines: [SDPAttribute] {
        [
            SDPAttribute("ice-ufrag", transport.iceParameters.usernameFragment),
            SDPAttribute("ice-pwd", transport.iceParameters.password),
        ]
            + transport.fingerprints.filter { $0.algorithm == .sha256 }.map {
                SDPAttribute("fingerprint", "sha-256 \($0.text)")
            } + [SDPAttribute("setup", offer.setup == .passive ? "active" : "passive")]
    }

    private func receiving(_ offered: OfferedMedia, _ parameters: RTPParameters) -> MediaDescription {
        var section = common(offered, parameters, .recvonly)
        if !offered.sendRIDs.isEmpty {
            section.attributes += offered.sendRIDs.map { SDPAttribute("rid", "\($0) recv") }
            section.attributes.append(SDPAttribute("simulcast", "recv \(offered.sendRIDs.joined(separator: ";"))"))
        }
        return section
    }

    private func sending(_ offered: OfferedMedia, _ parameters: RTPParameters, _ msid: String) -> MediaDescription {
        var section = common(offered, parameters, .sendonly)
        section.attributes.append(SDPAttribute("msid", msid))
        let cname = parameters.rtcp.cname ?? ""
        guard let encoding = parameters.encodings.first, let ssrc = encoding.ssrc else { return section }
        if let rtx = encoding.rtxSSRC { section.attributes.append(SDPAttribute("ssrc-group", "FID \(ssrc) \(rtx)")) }
        for ssrc in [ssrc, encoding.rtxSSRC].compactMap({ $0 }) {
            section.attributes.append(SDPAttribute("ssrc", "\(ssrc) cname:\(cname)"))
            section.attributes.append(SDPAttribute("ssrc", "\(ssrc) msid:\(msid)"))
        }
        return section
    }

    /// RFC 8841 §10.3.
    private func channels(_ offered: OfferedMedia, _ largestMessage: UInt32) -> MediaDescription {
        let candidate = transport.iceCandidates.first
        var section = MediaDescription(
            media: offered.description.media, port: candidate?.port ?? 9, transport: offered.description.transport,
            formats: offered.description.formats)
        section.otherLines = [SDPLine(number: 0, type: "c", value: Self.connection(candidate?.address ?? ""))]
        section.attributes = named(offered) + transportLines
        section.attributes.append(SDPAttribute("sctp-port", "\(OfferedMedia.sctpPort)"))
        section.attributes.append(SDPAttribute("max-message-size", "\(largestMessage)"))
        section.attributes += candidateLines
        return section
    }

    private var candidateLines: [SDPAttribute] {
        transport.iceCandidates.map { SDPAttribute("candidate", $0.attributeValue) }
            + [SDPAttribute("end-of-candidates")]
    }

    /// - Parameter direction: the section's, and that of extensions whose offer names one.
    private func common(
        _ offered: OfferedMedia, _ parameters: RTPParameters, _ direction: HeaderExtensionDirection
    ) -> MediaDescription {
        let candidate = transport.iceCandidates.first
        var section = MediaDescription(
            media: offered.description.media, port: candidate?.port ?? 9, transport: offered.description.transport,
            formats: parameters.codecs.map { String($0.payloadType) })
        section.otherLines = [SDPLine(number: 0, type: "c", value: Self.connection(candidate?.address ?? ""))]
        var lines = named(offered) + [SDPAttribute(direction.rawValue), SDPAttribute("rtcp-mux")]
        if offered.usesReducedSizeRTCP { lines.append(SDPAttribute("rtcp-rsize")) }
        if offered.allowsMixedExtensions { lines.append(SDPAttribute("extmap-allow-mixed")) }
        lines += transportLines
        for ext in parameters.headerExtensions {
            // What the offer says only one of us sends is turned around; a bare number stays bare (RFC 8285 §7).
            let offeredDirection = offered.extensions.first { $0.id == ext.id }?.direction
            let suffix = offeredDirection == nil ? "" : "/\(direction.rawValue)"
            lines.append(SDPAttribute("extmap", "\(ext.id)\(suffix) \(ext.uri)"))
        }
        for codec in parameters.codecs { lines += Self.lines(of: codec, offered) }
        lines += candidateLines
        section.attributes = lines
        return section
    }

    private static func lines(of codec: RTPCodecParameters, _ offered: OfferedMedia) -> [SDPAttribute] {
        let own = offered.codecs.first { $0.parameters.payloadType == codec.payloadType }
        let name = (own?.parameters.mimeType ?? codec.mimeType).split(separator: "/").last.map(String.init) ?? ""
        let channels = codec.channels.map { $0 > 1 ? "/\($0)" : "" } ?? ""
        var lines = [SDPAttribute("rtpmap", "\(codec.payloadType) \(name)/\(codec.clockRate)\(channels)")]
        if let format = own?.format { lines.append(SDPAttribute("fmtp", "\(codec.payloadType) \(format)")) }
        lines += codec.rtcpFeedback.map { feedback in
            let parameter = feedback.parameter.isEmpty ? "" : " \(feedback.parameter)"
            return SDPAttribute("rtcp-fb", "\(codec.payloadType) \(feedback.type)\(parameter)")
        }
        return lines
    }

    /// A `c=` line's value; a host name has no family of its own and is of no use there.
    private static func connection(_ address: String) -> String {
        if address.contains(":") { return "IN IP6 \(address)" }
        let isIPv4 = address.utf8.allSatisfy { (0x30...0x39).contains($0) || $0 == UInt8(ascii: ".") }
        return isIPv4 && !address.isEmpty ? "IN IP4 \(address)" : "IN IP4 0.0.0.0"
    }
}

extension SDPAnswer.Section {
    var isRejected: Bool {
        switch self {
        case .rejected: true
        case .receives, .sends, .channels: false
        }
    }
}

extension ICECandidate {
    /// The value of a `candidate` attribute (RFC 8839 §5.1, RFC 6544 §4.5).
    var attributeValue: String {
        let tcp = transport == .tcp ? " tcptype passive" : ""
        return "\(foundation) 1 \(transport.rawValue) \(priority) \(address) \(port) typ host\(tcp)"
    }
}
