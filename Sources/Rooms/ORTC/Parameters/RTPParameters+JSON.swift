extension RTPCodecParameters: JSONReadable, JSONRepresentable {
    /// Reads the fields mediasoup's clients send.
    public init(_ reader: JSONReader) throws(JSONFieldError) {
        try reader.checkObject("codec is not an object")
        let (mimeType, kind) = try RTPFields.mimeType(reader)
        self.init(
            mimeType: mimeType,
            payloadType: try RTPFields.payloadType(
                reader.required("payloadType", "missing codec.payloadType"), "missing codec.payloadType"),
            clockRate: try RTPFields.clockRate(reader), channels: try RTPFields.channels(reader, kind),
            parameters: try RTPFields.parameters(reader, "invalid codec parameter", checkingAPT: true),
            rtcpFeedback: try RTPFields.feedback(reader))
    }

    /// The fields mediasoup's clients read.
    public var json: JSONValue {
        .fields([
            "mimeType": .string(mimeType), "payloadType": .integer(Int64(payloadType)),
            "clockRate": .integer(Int64(clockRate)), "channels": channels.map { .integer(Int64($0)) },
            "parameters": parameters.json, "rtcpFeedback": .array(rtcpFeedback.map(\.json)),
        ])
    }
}

extension RTPHeaderExtensionParameters: JSONReadable, JSONRepresentable {
    /// Reads the fields mediasoup's clients send.
    public init(_ reader: JSONReader) throws(JSONFieldError) {
        try reader.checkObject("ext is not an object")
        let uriField = try reader.required("uri", "missing ext.uri")
        let uri = try uriField.string("missing ext.uri", limit: 256)
        guard !uri.isEmpty else { throw uriField.failure("missing ext.uri") }
        let idField = try reader.required("id", "missing ext.id")
        let id = try idField.integer(UInt8.self, "missing ext.id")
        // Zero is padding on the wire (RFC 8285 §4.1.2).
        guard id > 0 else { throw idField.failure("invalid ext.id") }
        self.init(
            uri: uri, id: id, encrypt: try reader.optional("encrypt")?.bool("invalid ext.encrypt") ?? false,
            parameters: try RTPFields.parameters(reader, "invalid header extension parameter", checkingAPT: false))
    }

    /// The fields mediasoup's clients read.
    public var json: JSONValue {
        .object([
            "uri": .string(uri), "id": .integer(Int64(id)), "encrypt": .bool(encrypt), "parameters": parameters.json,
        ])
    }
}

extension RTPEncodingParameters: JSONReadable, JSONRepresentable {
    /// Reads the fields mediasoup's clients send.
    public init(_ reader: JSONReader) throws(JSONFieldError) {
        try reader.checkObject("encoding is not an object")
        self.init()
        if let field = try reader.optional("ssrc") {
            ssrc = try field.integer(UInt32.self, "invalid encoding.ssrc")
        }
        if let field = try reader.optional("rid") {
            let text = try field.string("invalid encoding.rid")
            // RFC 8852 §3 has letters and digits; 16 bytes is what a one-byte extension holds (RFC 8285 §4.2).
            guard !text.isEmpty, text.utf8.count <= 16 else { throw field.failure("invalid encoding.rid") }
            rid = text
        }
        if let field = try reader.optional("codecPayloadType") {
            codecPayloadType = try RTPFields.payloadType(field, "invalid encoding.codecPayloadType")
        }
        if let field = try reader.optional("rtx") {
            try field.checkObject("invalid encoding.rtx")
            rtxSSRC = try field.required("ssrc", "missing encoding.rtx.ssrc")
                .integer(UInt32.self, "missing encoding.rtx.ssrc")
        }
        dtx = try reader.optional("dtx").map { field throws(JSONFieldError) in (try? field.bool()) ?? false }
        scalabilityMode = try reader.optional("scalabilityMode")?
            .string("invalid encoding.scalabilityMode", limit: 32)
        if let field = try reader.optional("maxBitrate") {
            // Applications compute it (1,500,000 × 0.7), and a bit more or less is nothing.
            let value = try field.number("invalid encoding.maxBitrate").rounded(.down)
            guard let whole = UInt32(exactly: value) else { throw field.failure("invalid encoding.maxBitrate") }
            maxBitrate = whole
        }
    }

    /// The fields mediasoup's clients read.
    public var json: JSONValue {
        .fields([
            "ssrc": ssrc.map { .integer(Int64($0)) }, "rid": rid.map { .string($0) },
            "codecPayloadType": codecPayloadType.map { .integer(Int64($0)) },
            "rtx": rtxSSRC.map { .object(["ssrc": .integer(Int64($0))]) },
            "dtx": dtx.map { .bool($0) }, "scalabilityMode": scalabilityMode.map { .string($0) },
            "maxBitrate": maxBitrate.map { .integer(Int64($0)) },
        ])
    }
}

extension RTPParameters: JSONReadable, JSONRepresentable {
    /// Reads the fields mediasoup's clients send.
    public init(_ reader: JSONReader) throws(JSONFieldError) {
        try reader.checkObject("params is not an object")
        self.init(codecs: [])
        if let field = try reader.optional("mid") {
            let text = try field.string("params.mid is not a string")
            guard !text.isEmpty, text.utf8.count <= 32 else { throw field.failure("invalid params.mid") }
            mid = text
        }
        let codecsField = try reader.required("codecs", "missing params.codecs")
        for codec in try codecsField.array("missing params.codecs", limit: 128) {
            codecs.append(try RTPCodecParameters(codec))
        }
        if let field = try reader.optional("headerExtensions") {
            for ext in try field.array("params.headerExtensions is not an array", limit: 64) {
                headerExtensions.append(try RTPHeaderExtensionParameters(ext))
            }
        }
        if let field = try reader.optional("encodings") {
            for encoding in try field.array("params.encodings is not an array", limit: 16) {
                encodings.append(try RTPEncodingParameters(encoding))
            }
        }
        if let field = try reader.optional("rtcp") {
            try field.checkObject("rtcp is not an object")
            rtcp.cname = try field.optional("cname")?.string("invalid rtcp.cname", limit: 255)
            rtcp.reducedSize = try field.optional("reducedSize").flatMap { try? $0.bool() } ?? true
        }
    }

    /// The fields mediasoup's clients read.
    public var json: JSONValue {
        .fields([
            "mid": mid.map { .string($0) }, "codecs": .array(codecs.map(\.json)),
            "headerExtensions": .array(headerExtensions.map(\.json)), "encodings": .array(encodings.map(\.json)),
            "rtcp": .fields(["cname": rtcp.cname.map { .string($0) }, "reducedSize": .bool(rtcp.reducedSize)]),
        ])
    }
}
