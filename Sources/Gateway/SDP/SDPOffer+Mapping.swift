import RoundhouseMedia
import RoundhouseRooms

extension OfferedMedia {
    /// What the section's sender can be asked to send, in its own numbers: the codecs the router has, each with its RTX.
    ///
    /// The first is what browsers send: the client's first that the router has; of its profiles the one that the router lists
    /// first, since most receivers decode it. The others are there for clients whose track has one of them already (pion's
    /// default engine offers a dozen); the room learns which it is with the first packets.
    /// - Returns: `nil` if the router has none of the codecs.
    func producerParameters(for router: RTPCapabilities) -> RTPParameters? {
        var places: Set<Int> = []
        // What the router does not tell apart would be two codecs of one payload type.
        let supported = codecs.filter(\.isMedia).compactMap { codec in
            Self.place(of: codec, in: router).flatMap { places.insert($0).inserted ? (codec: codec, place: $0) : nil }
        }
        guard let kind, let preferred = supported.first?.codec else { return nil }
        let profiles = supported.filter { $0.codec.isNamed(like: preferred) }
        guard let first = profiles.min(by: { $0.place < $1.place })?.codec else { return nil }
        let others = supported.map(\.codec).filter { $0 != first }
        let chosen = ([first] + others).flatMap { media in [media] + codecs.filter { $0.repairs(media) }.prefix(1) }
        var parameters = RTPParameters(mid: mid, codecs: [])
        parameters.headerExtensions = extensions.filter { ext in
            router.headerExtensions.contains { own in
                own.uri == ext.uri && own.kind == kind && (own.direction == .sendrecv || own.direction == .recvonly)
            }
        }.map { RTPHeaderExtensionParameters(uri: $0.uri, id: $0.id) }
        let uris = parameters.headerExtensions.map(\.uri)
        parameters.codecs = chosen.map { codec in
            var codec = codec.parameters
            let known = router.codecs.first { $0.mimeType.lowercased() == codec.mimeType.lowercased() }
            codec.rtcpFeedback.removeAll { feedback in
                known?.rtcpFeedback.contains(feedback) != true || !Self.isUsable(feedback, with: uris)
            }
            return codec
        }
        parameters.encodings = encodings
        // Retransmissions that were announced but not negotiated are not sent.
        if !chosen.contains(where: \.isRTX) {
            for index in encodings.indices { parameters.encodings[index].rtxSSRC = nil }
        }
        parameters.rtcp = RTCPParameters(cname: cname, reducedSize: usesReducedSizeRTCP)
        return parameters
    }

    /// Where the capability that a codec is mapped to stands among the router's; `nil` if there is none.
    private static func place(of codec: OfferedCodec, in router: RTPCapabilities) -> Int? {
        let alone = RTPParameters(codecs: [codec.parameters])
        guard let mapping = try? ORTC.producerMapping(alone, router: router, firstMappedSSRC: 1) else { return nil }
        let mapped = mapping.codecs.first?.mappedPayloadType
        return router.codecs.firstIndex { $0.preferredPayloadType == mapped }
    }

    /// One way of congestion control: transport-wide feedback if packets are numbered for it, else REMB.
    private static func isUsable(_ feedback: RTCPFeedback, with uris: [String]) -> Bool {
        let isNumbered = uris.contains {
            $0 == "http://www.ietf.org/id/draft-holmer-rmcat-transport-wide-cc-extensions-01"
        }
        switch feedback.type {
        case "transport-cc": return isNumbered
        case "goog-remb": return !isNumbered
        default: return true
        }
    }

    /// What the section's receiver can be sent, in its own numbers.
    var receiverCapabilities: RTPCapabilities {
        guard let kind else { return RTPCapabilities() }
        return RTPCapabilities(
            codecs: codecs.filter { $0.isMedia || $0.isRTX }.map { codec in
                RTPCodecCapability(
                    kind: kind, mimeType: codec.parameters.mimeType, preferredPayloadType: codec.parameters.payloadType,
                    clockRate: codec.parameters.clockRate, channels: codec.parameters.channels,
                    parameters: codec.parameters.parameters, rtcpFeedback: codec.parameters.rtcpFeedback)
            },
            headerExtensions: extensions.map { RTPHeaderExtension(kind: kind, uri: $0.uri, preferredID: $0.id) })
    }

    /// Whether an answer may use the section at all.
    func isUsable(in bundle: [String]) -> Bool {
        kind != nil && bundle.contains(mid) && !isOff && usesRTCPMultiplexing
    }

    /// A port of zero without bundle-only is a section the offerer itself has switched off (RFC 9143 §7.2.1).
    var isOff: Bool { description.port == 0 && !description.attributes.contains { $0.name == "bundle-only" } }
}
