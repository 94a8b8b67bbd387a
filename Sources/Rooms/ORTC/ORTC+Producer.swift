public import RoundhouseMedia

extension ORTC {
    /// Checks a producer's parameters in themselves.
    /// - Throws: `ORTCError` of kind `invalid`.
    public static func validate(_ parameters: RTPParameters, kind: MediaKind) throws(ORTCError) {
        if let mid = parameters.mid, mid.isEmpty { throw .invalid("empty params.mid") }
        guard !parameters.codecs.isEmpty else { throw .invalid("empty params.codecs") }
        var payloadTypes: Set<UInt8> = []
        for codec in parameters.codecs {
            guard let codecKind = RTPFields.kind(ofMIMEType: codec.mimeType) else {
                throw .invalid("invalid codec.mimeType")
            }
            guard codecKind == kind else {
                throw .invalid("codec \(codec.mimeType) is not of kind \(kind.rawValue)")
            }
            guard codec.payloadType < 128 else { throw .invalid("missing codec.payloadType") }
            guard payloadTypes.insert(codec.payloadType).inserted else {
                throw .invalid("duplicated codec.payloadType \(codec.payloadType)")
            }
            try validateAPT(codec.parameters)
        }
        guard parameters.codecs.contains(where: { !$0.isRepair }) else { throw .invalid("no media codec found") }
        for codec in parameters.codecs where codec.isRTX {
            guard let apt = codec.apt, let target = parameters.codecs.first(where: { Int($0.payloadType) == apt })
            else {
                throw .invalid("missing media codec found for RTX PT \(codec.payloadType)")
            }
            guard !target.isRepair else {
                throw .invalid("apt of RTX PT \(codec.payloadType) refers to \(target.mimeType)")
            }
        }
        for ext in parameters.headerExtensions where ext.id == 0 { throw .invalid("invalid ext.id") }
        try validateEncodings(parameters)
    }

    private static func validateEncodings(_ parameters: RTPParameters) throws(ORTCError) {
        var ssrcs: Set<UInt32> = []
        var rids: Set<String> = []
        for encoding in parameters.encodings {
            if let payloadType = encoding.codecPayloadType {
                guard parameters.codecs.contains(where: { $0.payloadType == payloadType && !$0.isRepair }) else {
                    throw .invalid("unknown encoding.codecPayloadType \(payloadType)")
                }
            }
            guard parameters.encodings.count == 1 || encoding.ssrc != nil || encoding.rid != nil else {
                throw .invalid("encodings without ssrc and rid: with more than one, each needs one of them")
            }
            for ssrc in [encoding.ssrc, encoding.rtxSSRC].compactMap({ $0 }) {
                guard ssrcs.insert(ssrc).inserted else { throw .invalid("ssrc \(ssrc) is given twice") }
            }
            if let rid = encoding.rid {
                guard !rid.isEmpty, rid.utf8.count <= 16 else { throw .invalid("invalid encoding.rid") }
                guard rids.insert(rid).inserted else { throw .invalid("rid \(rid) is given twice") }
            }
        }
        if parameters.encodings.count <= 1, parameters.mid == nil,
            parameters.encodings.first.map({ $0.ssrc == nil && $0.rid == nil }) ?? true
        {
            throw .invalid("the encoding has neither ssrc nor rid, and there is no mid")
        }
    }

    /// Maps a producer's payload types and SSRCs to the router's.
    /// - Parameter firstMappedSSRC: the first encoding's; the next ones follow.
    /// - Throws: `ORTCError`: `unsupported` if the router lacks a codec, `invalid` if RTX refers to nothing.
    public static func producerMapping(
        _ given: RTPParameters, router: RTPCapabilities, firstMappedSSRC: UInt32
    ) throws(ORTCError) -> ProducerMapping {
        var parameters = given
        if parameters.encodings.isEmpty { parameters.encodings = [RTPEncodingParameters()] }
        var matched: [UInt8: RTPCodecCapability] = [:]
        for index in parameters.codecs.indices where !parameters.codecs[index].isRTX {
            let codec = parameters.codecs[index]
            var found: (RTPCodecCapability, CodecMatch)?
            for capability in router.codecs {
                if let match = CodecMatch(codec, capability, isStrict: true) {
                    found = (capability, match)
                    break
                }
            }
            guard let (capability, match) = found else {
                throw .unsupported("unsupported codec [mimeType:\(codec.mimeType), payloadType:\(codec.payloadType)]")
            }
            matched[codec.payloadType] = capability
            switch match.profileLevelID {
            case .text(let text): parameters.codecs[index].parameters["profile-level-id"] = .string(text)
            case .some(.none): parameters.codecs[index].parameters["profile-level-id"] = nil
            case nil: break
            }
        }
        var codecs: [ProducerMapping.Codec] = []
        for codec in parameters.codecs {
            guard !codec.isRTX else {
                let mapped = try mappedRTX(codec, of: parameters, matched: matched, router: router)
                codecs.append(.init(payloadType: codec.payloadType, mappedPayloadType: mapped))
                continue
            }
            if let mapped = matched[codec.payloadType]?.preferredPayloadType {
                codecs.append(.init(payloadType: codec.payloadType, mappedPayloadType: mapped))
            }
        }
        let encodings = parameters.encodings.enumerated().map { index, encoding in
            ProducerMapping.Encoding(
                ssrc: encoding.ssrc, rid: encoding.rid, scalabilityMode: encoding.scalabilityMode,
                mappedSSRC: firstMappedSSRC &+ UInt32(truncatingIfNeeded: index))
        }
        return ProducerMapping(codecs: codecs, encodings: encodings, rtpParameters: parameters)
    }

    private static func mappedRTX(
        _ codec: RTPCodecParameters, of parameters: RTPParameters, matched: [UInt8: RTPCodecCapability],
        router: RTPCapabilities
    ) throws(ORTCError) -> UInt8 {
        guard let apt = codec.apt.flatMap(UInt8.init(exactly:)), let target = matched[apt],
            parameters.codecs.contains(where: { $0.payloadType == apt })
        else { throw .invalid("missing media codec found for RTX PT \(codec.payloadType)") }
        guard let targetPayloadType = target.preferredPayloadType,
            let mapped = router.codecs.first(where: { $0.isRTX && $0.apt == Int(targetPayloadType) })?
                .preferredPayloadType
        else {
            throw .unsupported("no RTX codec for capability codec PT \(target.preferredPayloadType ?? 0)")
        }
        return mapped
    }

    /// Which type a producer has: by the number of its encodings and their scalability modes.
    /// - Throws: `ORTCError` of kind `invalid` if its first codec cannot be sent that way.
    public static func producerType(_ parameters: RTPParameters) throws(ORTCError) -> ProducerType {
        guard let codec = parameters.codecs.first(where: { !$0.isRepair }) else {
            throw .invalid("no media codec found")
        }
        let type: ProducerType
        if parameters.encodings.count > 1 {
            type = .simulcast
        } else {
            let mode = ScalabilityMode(parameters.encodings.first?.scalabilityMode)
            if mode.spatialLayers == 1, mode.temporalLayers == 1 { return .simple }
            // One stream with temporal layers alone is simulcast of one, as mediasoup has it.
            type = codec.codecKind.hasKeyFrames && !codec.codecKind.hasSpatialLayers ? .simulcast : .svc
        }
        guard RTPFields.kind(ofMIMEType: codec.mimeType) == .video else {
            throw .invalid("\(codec.mimeType) codec not supported for \(type.rawValue)")
        }
        return type
    }
}
