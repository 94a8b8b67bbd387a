import RoundhouseMedia

extension CreatePlainTransportRequest: JSONReadable {
    /// Reads mediasoup's fields.
    public init(_ reader: JSONReader) throws(JSONFieldError) {
        self.init()
        comedia = try reader.optional("comedia")?.bool() ?? comedia
        keepsAddress = try reader.optional("keepsAddress")?.bool() ?? keepsAddress
        rtcpMux = try reader.optional("rtcpMux")?.bool() ?? rtcpMux
        guard try reader.optional("enableSrtp")?.bool() ?? false else { return }
        cryptoSuite = try reader.optional("srtpCryptoSuite")?.cryptoSuite() ?? .aes128CMHMACSHA1x80
    }
}

extension ConnectPlainTransportRequest {
    /// Reads mediasoup's fields.
    public init(transportID: TransportID, _ reader: JSONReader) throws(JSONFieldError) {
        self.init(transportID: transportID)
        ip = try reader.optional("ip")?.string(limit: 64)
        port = try reader.optional("port")?.port()
        rtcpPort = try reader.optional("rtcpPort")?.port()
        srtpParameters = try reader.optional("srtpParameters").map { (field) throws(JSONFieldError) in
            try SRTPParameters(field)
        }
    }
}

extension SRTPParameters: JSONReadable, JSONRepresentable {
    /// Reads `cryptoSuite` and `keyBase64`.
    public init(_ reader: JSONReader) throws(JSONFieldError) {
        let suite = try reader.required("cryptoSuite").cryptoSuite()
        let field = try reader.required("keyBase64")
        guard let bytes = Base64.decode(try field.string(limit: 128)) else { throw field.failure("not Base64") }
        let length = suite.keyLength + suite.saltLength
        guard bytes.count == length else {
            throw field.failure("\(bytes.count) bytes, and \(suite.rawValue) takes \(length): key and salt")
        }
        self.init(
            cryptoSuite: suite,
            key: SRTPMasterKey(key: Array(bytes[..<suite.keyLength]), salt: Array(bytes[suite.keyLength...])))
    }

    /// `cryptoSuite` and `keyBase64`.
    public var json: JSONValue {
        .object([
            "cryptoSuite": .string(cryptoSuite.rawValue), "keyBase64": .string(Base64.encode(key.key + key.salt)),
        ])
    }
}

extension JSONReader {
    fileprivate func cryptoSuite() throws(JSONFieldError) -> SRTPProfile {
        guard let suite = SRTPProfile(rawValue: try string(limit: 64)) else {
            throw failure("not one of \(SRTPProfile.allCases.map(\.rawValue).joined(separator: ", "))")
        }
        return suite
    }

    fileprivate func port() throws(JSONFieldError) -> UInt16 {
        let port: UInt16 = try integer(UInt16.self, "not a port from 1 to 65535")
        guard port > 0 else { throw failure("not a port from 1 to 65535") }
        return port
    }
}
