import RoundhouseMedia

extension JSONReader {
    /// A field that has to be there, of a value that has to be an object.
    func required(_ name: String, _ problem: String, notObject: String) throws(JSONFieldError) -> JSONReader {
        try checkObject(notObject)
        return try required(name, problem)
    }

    func checkSize(_ bytes: Int) throws(JSONFieldError) {
        guard value.serialized.count <= bytes else { throw failure("longer than \(bytes) bytes") }
    }

    func checkObject(_ problem: String) throws(JSONFieldError) {
        guard case .object = value else { throw failure(problem) }
    }
}

extension RTPCodecCapability: JSONReadable, JSONRepresentable {
    /// Reads the fields mediasoup's clients send.
    public init(_ reader: JSONReader) throws(JSONFieldError) {
        try reader.checkObject("codec is not an object")
        let (mimeType, kind) = try RTPFields.mimeType(reader)
        let problem = "invalid codec.preferredPayloadType"
        var payloadType: UInt8?
        if let field = try reader.optional("preferredPayloadType") {
            payloadType = try RTPFields.payloadType(field, problem)
        }
        self.init(
            kind: kind, mimeType: mimeType, preferredPayloadType: payloadType,
            clockRate: try RTPFields.clockRate(reader), channels: try RTPFields.channels(reader, kind),
            parameters: try RTPFields.parameters(reader, "invalid codec parameter", checkingAPT: true),
            rtcpFeedback: try RTPFields.feedback(reader))
    }

    /// The fields mediasoup's clients read.
    public var json: JSONValue {
        .fields([
            "kind": .string(kind.rawValue), "mimeType": .string(mimeType),
            "preferredPayloadType": preferredPayloadType.map { .integer(Int64($0)) },
            "clockRate": .integer(Int64(clockRate)), "channels": channels.map { .integer(Int64($0)) },
            "parameters": parameters.json, "rtcpFeedback": .array(rtcpFeedback.map(\.json)),
        ])
    }
}

extension RTCPFeedback: JSONRepresentable {
    /// The fields mediasoup's clients read.
    public var json: JSONValue { .object(["type": .string(type), "parameter": .string(parameter)]) }
}

extension [String: CodecParameter] {
    var json: JSONValue {
        .object(
            mapValues { parameter in
                switch parameter {
                case .string(let text): .string(text)
                case .integer(let number): .integer(Int64(number))
                case .number(let number): .normalized(number)
                }
            })
    }
}

extension RTPHeaderExtension: JSONReadable, JSONRepresentable {
    /// Reads the fields mediasoup's clients send.
    public init(_ reader: JSONReader) throws(JSONFieldError) {
        try reader.checkObject("ext is not an object")
        let kindField = try reader.required("kind", "invalid ext.kind")
        guard let kind = MediaKind(rawValue: try kindField.string("invalid ext.kind")) else {
            throw kindField.failure("invalid ext.kind")
        }
        let uriField = try reader.required("uri", "missing ext.uri")
        let uri = try uriField.string("missing ext.uri", limit: 256)
        guard !uri.isEmpty else { throw uriField.failure("missing ext.uri") }
        var direction = HeaderExtensionDirection.sendrecv
        if let field = try reader.optional("direction") {
            guard let known = HeaderExtensionDirection(rawValue: try field.string("invalid ext.direction")) else {
                throw field.failure("invalid ext.direction")
            }
            direction = known
        }
        self.init(
            kind: kind, uri: uri,
            preferredID: try reader.required("preferredId", "missing ext.preferredId")
                .integer(UInt8.self, "missing ext.preferredId"),
            preferredEncrypt: try reader.optional("preferredEncrypt")?.bool("invalid ext.preferredEncrypt") ?? false,
            direction: direction)
    }

    /// The fields mediasoup's clients read.
    public var json: JSONValue {
        .object([
            "kind": .string(kind.rawValue), "uri": .string(uri), "preferredId": .integer(Int64(preferredID)),
            "preferredEncrypt": .bool(preferredEncrypt), "direction": .string(direction.rawValue),
        ])
    }
}

extension RTPCapabilities: JSONReadable, JSONRepresentable {
    /// Reads the fields mediasoup's clients send.
    public init(_ reader: JSONReader) throws(JSONFieldError) {
        try reader.checkObject("caps is not an object")
        self.init()
        if let field = try reader.optional("codecs") {
            for codec in try field.array("caps.codecs is not an array") { codecs.append(try RTPCodecCapability(codec)) }
        }
        if let field = try reader.optional("headerExtensions") {
            for ext in try field.array("caps.headerExtensions is not an array") {
                headerExtensions.append(try RTPHeaderExtension(ext))
            }
        }
    }

    /// The fields mediasoup's clients read.
    public var json: JSONValue {
        .object(["codecs": .array(codecs.map(\.json)), "headerExtensions": .array(headerExtensions.map(\.json))])
    }
}
