import Media
import Rooms

extension OfferedMedia {
    /// What the section's sender can be asked to send, in its own numbers: one codec the router has, with its RTX.
    ///
    /// One codec, because a producer's first is the only one its consumers are promised.
    /// - Returns: `nil` where the router has none of the codecs.
    func producerParameters(for router: RTPCapabilities) -> RTPParameters? {
        guard let kind, let media = codecs.first(where: { $0.isMedia && Self.isSupported($0, by: router) }) else {
            return nil
        }
        let chosen = [media] + codecs.filter { $0.repairs(media) }.prefix(1)
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
        if chosen.count == 1 { for index in encodings.indices { parameters.encodings[index].rtxSSRC = nil } }
        parameters.rtcp = RTCPParameters(cname: cname, reducedSize: usesReducedSizeRTCP)
        return parameters
    }

    private static func isSupported(_ codec: OfferedCodec, by router: RTPCapabilities) -> Bool {
        let alone = RTPParameters(codecs: [codec.parameters])
        return (try? ORTC.producerMapping(alone, router: router, firstMappedSSRC: 1)) != nil
    }

    /// One way of congestion control: transport-wide feedback where packets are numbered for it, else REMB.
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
        // A port of zero without bundle-only is a section the offerer itself has switched off (RFC 9143 §7.2.1).
        let isOff = description.port == 0 && !description.attributes.contains { $0.name == "bundle-only" }
        return kind != nil && bundle.contains(mid) && !isOff && usesRTCPMultiplexing
    }
}
