public import RoundhouseMedia

extension ORTC {
    /// What can be consumed of a producer: its codecs, extensions and encodings in the router's numbers.
    public static func consumableParameters(
        kind: MediaKind, mapping: ProducerMapping, router: RTPCapabilities, cname: String
    ) -> RTPParameters {
        var result = RTPParameters(codecs: [], rtcp: RTCPParameters(cname: cname, reducedSize: true))
        for codec in mapping.rtpParameters.codecs where !codec.isRTX {
            guard let mapped = mapping.mapped(codec.payloadType),
                let capability = router.codecs.first(where: { $0.preferredPayloadType == mapped })
            else { continue }
            result.codecs.append(
                RTPCodecParameters(
                    mimeType: capability.mimeType, payloadType: mapped, clockRate: capability.clockRate,
                    channels: capability.channels, parameters: codec.parameters,
                    rtcpFeedback: capability.rtcpFeedback))
            if let rtx = router.codecs.first(where: { $0.isRTX && $0.apt == Int(mapped) }),
                let payloadType = rtx.preferredPayloadType
            {
                result.codecs.append(
                    RTPCodecParameters(
                        mimeType: rtx.mimeType, payloadType: payloadType, clockRate: rtx.clockRate,
                        parameters: rtx.parameters, rtcpFeedback: rtx.rtcpFeedback))
            }
        }
        result.headerExtensions = router.headerExtensions
            .filter { $0.kind == kind && ($0.direction == .sendrecv || $0.direction == .sendonly) }
            .map { RTPHeaderExtensionParameters(uri: $0.uri, id: $0.preferredID, encrypt: $0.preferredEncrypt) }
        result.encodings = zip(mapping.rtpParameters.encodings, mapping.encodings).map { given, mapped in
            var encoding = given
            encoding.rid = nil
            encoding.rtxSSRC = nil
            encoding.codecPayloadType = nil
            encoding.ssrc = mapped.mappedSSRC
            return encoding
        }
        return result
    }

    /// Whether an endpoint with these capabilities can receive a producer.
    public static func canConsume(_ consumable: RTPParameters, _ capabilities: RTPCapabilities) -> Bool {
        refusal(of: consumable, by: capabilities) == nil
    }

    /// Why an endpoint with these capabilities cannot receive a producer; `nil` if it can.
    /// - Parameter sent: the payload type that is sent now, in the router's numbers; while it is not known, any codec in
    ///   common will do.
    public static func refusal(
        of consumable: RTPParameters, sent: UInt8? = nil, by capabilities: RTPCapabilities
    ) -> ORTCError? {
        // RTX matches RTX whatever it repairs, so it says nothing.
        let codecs = consumable.codecs.filter { !$0.isRTX && (sent == nil || $0.payloadType == sent) }
        let common = codecs.filter { codec in
            capabilities.codecs.contains { CodecMatch($0, codec, isStrict: true) != nil }
        }
        guard !common.isEmpty else {
            let names = codecs.map(\.mimeType).reduce(into: [String]()) { if !$0.contains($1) { $0.append($1) } }
            return .unsupported(
                "no codec in common with the producer, which sends \(names.joined(separator: " or "))")
        }
        // Decoders find their way among spatial layers by it alone; of simulcast each stream decodes by itself.
        guard common.allSatisfy({ $0.codecKind == .av1 }), consumable.encodings.count == 1,
            let mode = consumable.encodings[0].scalabilityMode, ScalabilityMode(mode).spatialLayers > 1,
            !capabilities.headerExtensions.contains(where: { $0.uri == HeaderExtension.dependencyDescriptor.uri })
        else { return nil }
        return .unsupported(
            "the producer sends AV1 with spatial layers (\(mode)), which cannot be decoded without the header extension "
                + HeaderExtension.dependencyDescriptor.uri)
    }

    /// What an endpoint receives of a producer: one stream, whatever the producer's encodings.
    /// - Throws: `ORTCError` of kind `unsupported` when no codec is left.
    public static func consumerParameters(
        _ consumable: RTPParameters, _ capabilities: RTPCapabilities, ssrc: UInt32, enableRTX: Bool = true
    ) throws(ORTCError) -> RTPParameters {
        var result = RTPParameters(codecs: [], rtcp: consumable.rtcp)
        for var codec in consumable.codecs where enableRTX || !codec.isRTX {
            guard
                let capability = capabilities.codecs.first(where: { CodecMatch($0, codec, isStrict: true) != nil })
            else { continue }
            codec.rtcpFeedback = capability.rtcpFeedback.filter {
                enableRTX || $0.type != "nack" || !$0.parameter.isEmpty
            }
            result.codecs.append(codec)
        }
        result.codecs = withoutOrphanedRTX(result.codecs)
        guard let first = result.codecs.first, !first.isRTX else { throw .unsupported("no compatible media codecs") }
        let extensions = consumable.headerExtensions.filter { ext in
            capabilities.headerExtensions.contains { $0.preferredID == ext.id && $0.uri == ext.uri }
        }
        // Where none is left out, a producer's many consumers share its array.
        result.headerExtensions =
            extensions.count == consumable.headerExtensions.count ? consumable.headerExtensions : extensions
        reduceFeedback(&result)

        var encoding = RTPEncodingParameters(ssrc: ssrc)
        if result.codecs.contains(where: \.isRTX) { encoding.rtxSSRC = ssrc &+ 1 }
        let mode = consumable.encodings.compactMap(\.scalabilityMode).first
        if consumable.encodings.count > 1 {
            encoding.scalabilityMode = "L\(consumable.encodings.count)T\(ScalabilityMode(mode).temporalLayers)"
        } else {
            encoding.scalabilityMode = mode
        }
        encoding.maxBitrate = consumable.encodings.compactMap(\.maxBitrate).max()
        result.encodings = [encoding]
        return result
    }

    private static func withoutOrphanedRTX(_ codecs: [RTPCodecParameters]) -> [RTPCodecParameters] {
        codecs.filter { codec in
            !codec.isRTX || codecs.contains { !$0.isRTX && Int($0.payloadType) == codec.apt }
        }
    }

    /// One way of congestion control is left: by transport-wide feedback, else by REMB, else none.
    private static func reduceFeedback(_ parameters: inout RTPParameters) {
        let uris = parameters.headerExtensions.map(\.uri)
        let removed: Set<String> =
            if uris.contains(HeaderExtension.transportWideSequence.uri) {
                ["goog-remb"]
            } else if uris.contains(HeaderExtension.absSendTime.uri) {
                ["transport-cc"]
            } else {
                ["transport-cc", "goog-remb"]
            }
        for index in parameters.codecs.indices {
            parameters.codecs[index].rtcpFeedback.removeAll { removed.contains($0.type) }
        }
    }

    /// What another router receives of a producer: every encoding, without a match of capabilities.
    /// - Parameters:
    ///   - firstSSRC: the first encoding's; the next ones follow.
    ///   - firstRTXSSRC: the same for retransmission, used with `enableRTX`.
    public static func pipeConsumerParameters(
        _ consumable: RTPParameters, firstSSRC: UInt32, firstRTXSSRC: UInt32, enableRTX: Bool = false
    ) -> RTPParameters {
        var result = consumable
        result.codecs = consumable.codecs.filter { enableRTX || !$0.isRTX }.map { given in
            var codec = given
            codec.rtcpFeedback.removeAll { feedback in
                switch (feedback.type, feedback.parameter) {
                case ("nack", "pli"), ("ccm", "fir"): false
                case ("nack", ""): !enableRTX
                default: true
                }
            }
            return codec
        }
        let replaced = [
            HeaderExtension.mid.uri, HeaderExtension.absSendTime.uri, HeaderExtension.transportWideSequence.uri,
        ]
        result.headerExtensions.removeAll { replaced.contains($0.uri) }
        for index in result.encodings.indices {
            let offset = UInt32(truncatingIfNeeded: index)
            result.encodings[index].ssrc = firstSSRC &+ offset
            result.encodings[index].rtxSSRC = enableRTX ? firstRTXSSRC &+ offset : nil
        }
        return result
    }
}
