import RoundhouseMedia

extension FeedbackSupport {
    init(_ feedback: [RTCPFeedback]) {
        self = []
        for entry in feedback {
            switch (entry.type, entry.parameter) {
            case ("nack", ""): insert(.nack)
            case ("nack", "pli"): insert(.pictureLossIndication)
            case ("ccm", "fir"): insert(.fullIntraRequest)
            case ("transport-cc", _): insert(.transportWide)
            case ("goog-remb", _): insert(.receiverEstimatedMaximumBitrate)
            default: break
            }
        }
    }
}

extension ScalabilitySettings {
    /// The layers of each encoding, as the first scalability mode says; the media plane has room for 8 of each.
    init(_ parameters: RTPParameters) {
        let mode = ScalabilityMode(parameters.encodings.compactMap(\.scalabilityMode).first)
        let usesDTX =
            parameters.encodings.contains { $0.dtx == true }
            || parameters.codecs.contains { $0.parameters["usedtx"] == .integer(1) }
        self.init(
            spatialLayers: min(mode.spatialLayers, 8), temporalLayers: min(mode.temporalLayers, 8),
            isKSVC: mode.isKSVC, usesDTX: usesDTX)
    }
}

extension SourceSettings {
    /// What a consumer has to know of a producer it is pointed at.
    init(_ producer: Producer) {
        self.init(
            encodings: producer.consumable.encodings.compactMap { $0.ssrc.map { SSRC($0) } },
            scalability: ScalabilitySettings(producer.consumable), cname: producer.consumable.rtcp.cname ?? "",
            isProducerPaused: producer.isPaused)
    }
}

extension ProducerSettings {
    /// What a shard needs to receive a producer that was mapped.
    init(
        kind: MediaKind, mapping: ProducerMapping, cname: String, isPaused: Bool, keyFrameRequestDelay: MediaDuration
    ) {
        let parameters = mapping.rtpParameters
        let codecs = parameters.codecs.filter { !$0.isRTX }.compactMap { codec -> ProducerCodec? in
            guard let mapped = mapping.mapped(codec.payloadType) else { return nil }
            let rtx = parameters.codecs.first { $0.isRTX && $0.apt == Int(codec.payloadType) }
            var result = ProducerCodec(
                codec: codec.codecKind, clockRate: codec.clockRate, payloadType: codec.payloadType,
                mappedPayloadType: mapped, rtxPayloadType: rtx?.payloadType,
                mappedRTXPayloadType: rtx.flatMap { mapping.mapped($0.payloadType) },
                feedback: FeedbackSupport(codec.rtcpFeedback))
            result.usesInBandFEC = codec.parameters["useinbandfec"] == .integer(1)
            return result
        }
        let encodings = zip(parameters.encodings, mapping.encodings).map { encoding, mapped in
            ProducerEncoding(
                ssrc: encoding.ssrc.map { SSRC($0) }, rtxSSRC: encoding.rtxSSRC.map { SSRC($0) }, rid: encoding.rid,
                mappedSSRC: SSRC(mapped.mappedSSRC))
        }
        self.init(
            kind: kind, mid: parameters.mid, cname: cname, codecs: codecs, encodings: encodings,
            headerExtensions: HeaderExtensionIDs(parameters.headerExtensions), isPaused: isPaused,
            keyFrameRequestDelay: keyFrameRequestDelay)
        scalability = ScalabilitySettings(parameters)
    }
}

extension ConsumerSettings {
    /// What a shard needs to send a consumer's parameters.
    init(
        kind: MediaKind, parameters: RTPParameters, consumable: RTPParameters, ssrc: UInt32, isPaused: Bool,
        isProducerPaused: Bool, numbering: ConsumerIDMapping? = nil
    ) {
        let codecs = parameters.codecs.filter { !$0.isRTX }.map { codec in
            ConsumerCodec(
                codec: codec.codecKind, clockRate: codec.clockRate, payloadType: codec.payloadType,
                rtxPayloadType: parameters.codecs.first { $0.isRTX && $0.apt == Int(codec.payloadType) }?.payloadType,
                feedback: FeedbackSupport(codec.rtcpFeedback))
        }
        self.init(
            kind: kind, mid: parameters.mid, cname: consumable.rtcp.cname ?? "", codecs: codecs, ssrc: SSRC(ssrc),
            rtxSSRC: parameters.encodings.first?.rtxSSRC.map { SSRC($0) },
            encodings: consumable.encodings.compactMap { $0.ssrc.map { SSRC($0) } },
            headerExtensions: HeaderExtensionIDs(parameters.headerExtensions), isPaused: isPaused,
            isProducerPaused: isProducerPaused, numbering: numbering)
        scalability = ScalabilitySettings(consumable)
    }
}
