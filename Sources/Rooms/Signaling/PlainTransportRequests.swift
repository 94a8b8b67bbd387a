public import Media

/// A transport for RTP without ICE and DTLS, as ffmpeg and GStreamer send and receive it. For peers that are broadcasters,
/// and for programs that embed a room.
public struct CreatePlainTransportRequest: Sendable, Hashable {
    /// The client's addresses are those of its first packets; else it announces them by `connectPlainTransport`.
    public var comedia: Bool
    /// RTP and RTCP share a port.
    public var rtcpMux: Bool
    /// The cipher of SRTP; `nil` for RTP in the clear.
    public var cryptoSuite: SRTPProfile?
    /// The IP address that the request came from, to which RTP may be sent; never taken from the client's own words.
    public var requesterAddress: String?

    /// A request; the defaults are those of mediasoup-demo's HTTP API.
    public init(
        comedia: Bool = true, rtcpMux: Bool = false, cryptoSuite: SRTPProfile? = nil, requesterAddress: String? = nil
    ) {
        self.comedia = comedia
        self.rtcpMux = rtcpMux
        self.cryptoSuite = cryptoSuite
        self.requesterAddress = requesterAddress
    }
}

/// An SRTP key with its cipher, as mediasoup writes it.
public struct SRTPParameters: Sendable, Hashable {
    /// The cipher.
    public var cryptoSuite: SRTPProfile
    /// Key and salt of the sender.
    public var key: SRTPMasterKey

    /// Parameters.
    public init(cryptoSuite: SRTPProfile, key: SRTPMasterKey) {
        self.cryptoSuite = cryptoSuite
        self.key = key
    }
}

/// `connectPlainTransport`: the client's side.
public struct ConnectPlainTransportRequest: Sendable, Hashable {
    /// Which transport.
    public var transportID: TransportID
    /// The client's IP address; absent with `comedia`.
    public var ip: String?
    /// Its port for RTP; absent with `comedia`.
    public var port: UInt16?
    /// Its port for RTCP; absent with `comedia` and with `rtcpMux`.
    public var rtcpPort: UInt16?
    /// The client's key, if the transport has SRTP.
    public var srtpParameters: SRTPParameters?

    /// A request.
    public init(
        transportID: TransportID, ip: String? = nil, port: UInt16? = nil, rtcpPort: UInt16? = nil,
        srtpParameters: SRTPParameters? = nil
    ) {
        self.transportID = transportID
        self.ip = ip
        self.port = port
        self.rtcpPort = rtcpPort
        self.srtpParameters = srtpParameters
    }
}

/// `createPlainTransport`'s answer.
public struct PlainTransportDescription: Sendable, Hashable, JSONRepresentable {
    /// Which transport.
    public var id: TransportID
    /// Where it is reached.
    public var endpoint: PlainEndpoint
    /// What the server sends with, if the transport has SRTP.
    public var srtpParameters: SRTPParameters?

    /// With the id under both its names: the demo's of 2024 and of 2026.
    public var json: JSONValue {
        .fields([
            "id": .string(id.rawValue), "transportId": .string(id.rawValue), "ip": .string(endpoint.ip),
            "port": .integer(Int64(endpoint.port)), "rtcpPort": endpoint.rtcpPort.map { .integer(Int64($0)) },
            "srtpParameters": srtpParameters?.json,
        ])
    }
}

extension CreatePlainTransportRequest: JSONReadable {
    /// Reads mediasoup's fields.
    public init(_ reader: JSONReader) throws(JSONFieldError) {
        self.init()
        comedia = try reader.optional("comedia")?.bool() ?? comedia
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
