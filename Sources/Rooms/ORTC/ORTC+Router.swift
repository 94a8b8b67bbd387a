import RoundhouseMedia

extension ORTC {
    /// Checks what a program, not a client's message, put into capabilities.
    /// - Throws: `ORTCError` of kind `invalid`.
    public static func validate(_ capabilities: RTPCapabilities) throws(ORTCError) {
        for codec in capabilities.codecs {
            guard let kind = RTPFields.kind(ofMIMEType: codec.mimeType), kind == codec.kind else {
                throw .invalid("invalid codec.mimeType")
            }
            if let payloadType = codec.preferredPayloadType, payloadType > 127 {
                throw .invalid("invalid codec.preferredPayloadType")
            }
            try validateAPT(codec.parameters)
        }
        for ext in capabilities.headerExtensions where ext.uri.isEmpty { throw .invalid("missing ext.uri") }
    }

    static func validateAPT(_ parameters: [String: CodecParameter]) throws(ORTCError) {
        if let apt = parameters["apt"] {
            guard case .integer = apt else { throw .invalid("invalid codec apt parameter") }
        }
    }

    /// Makes a router's capabilities of the codecs it shall have.
    ///
    /// Payload types come from the codec given, the codec's fixed number, or the pool 100…127 then 96…99; every video
    /// codec is followed by its RTX codec. Given parameters win over the table's, given feedback is ignored.
    /// - Throws: `ORTCError`: `unsupported` for a codec that `supportedCodecs` lacks, `invalid` for a payload type
    ///   given twice or when none is left.
    public static func routerCapabilities(mediaCodecs: [RTPCodecCapability]) throws(ORTCError) -> RTPCapabilities {
        try validate(RTPCapabilities(codecs: mediaCodecs))
        var pool = Array(100...127) + Array(96...99)
        func nextPayloadType() throws(ORTCError) -> UInt8 {
            guard !pool.isEmpty else { throw .invalid("cannot allocate more dynamic codec payload types") }
            return UInt8(pool.removeFirst())
        }
        var result = RTPCapabilities(headerExtensions: supportedHeaderExtensions)
        for mediaCodec in mediaCodecs {
            guard var codec = supportedCodecs.first(where: { CodecMatch(mediaCodec, $0, isStrict: false) != nil })
            else { throw .unsupported("media codec not supported [mimeType:\(mediaCodec.mimeType)]") }
            let payloadType: UInt8
            if let given = mediaCodec.preferredPayloadType {
                payloadType = given
                pool.removeAll { $0 == Int(given) }
            } else if let fixed = codec.preferredPayloadType {
                payloadType = fixed
            } else {
                payloadType = try nextPayloadType()
            }
            codec.preferredPayloadType = payloadType
            guard !result.codecs.contains(where: { $0.preferredPayloadType == payloadType }) else {
                throw .invalid("duplicated codec.preferredPayloadType")
            }
            codec.parameters.merge(mediaCodec.parameters) { _, given in given }
            result.codecs.append(codec)
            guard codec.kind == .video else { continue }
            result.codecs.append(
                RTPCodecCapability(
                    kind: .video, mimeType: "video/rtx", preferredPayloadType: try nextPayloadType(),
                    clockRate: codec.clockRate, parameters: ["apt": .integer(Int(payloadType))]))
        }
        return result
    }
}
