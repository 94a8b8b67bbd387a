import RoundhouseMedia

extension SignalingRequest {
    /// Reads a request of mediasoup-demo's 2024 protocol.
    /// - Parameters:
    ///   - method: `join`, `produce`, ….
    ///   - data: the request's data, an object.
    /// - Throws: `RoomError` with code `unknownMethod`, or `invalidRequest` naming the wrong field by its path.
    public init(method: String, data: JSONValue) throws(RoomError) {
        do {
            guard let request = try Self.read(method, JSONReader(data)) else {
                throw RoomError(.unknownMethod, "unknown request.method \"\(method.prefix(64))\"")
            }
            self = request
        } catch let error as JSONFieldError {
            throw RoomError(.invalidRequest, error.description)
        } catch let error as RoomError {
            throw error
        } catch {
            throw RoomError(.internalError, "the request could not be read")
        }
    }

    private static func read(_ method: String, _ data: JSONReader) throws(JSONFieldError) -> SignalingRequest? {
        switch method {
        case "getRouterRtpCapabilities": .getRouterRtpCapabilities
        case "join": .join(try JoinRequest(data))
        case "createWebRtcTransport": .createWebRtcTransport(try CreateWebRtcTransportRequest(data))
        case "connectWebRtcTransport": .connectWebRtcTransport(try ConnectWebRtcTransportRequest(data))
        case "restartIce": .restartIce(try data.transportID())
        case "produce": .produce(try ProduceRequest(data))
        case "closeProducer": .closeProducer(try data.producerID())
        case "pauseProducer": .pauseProducer(try data.producerID())
        case "resumeProducer": .resumeProducer(try data.producerID())
        case "pauseConsumer": .pauseConsumer(try data.consumerID())
        case "resumeConsumer": .resumeConsumer(try data.consumerID())
        case "closeConsumer": .closeConsumer(try data.consumerID())
        case "setConsumerPreferredLayers": .setConsumerPreferredLayers(try SetConsumerPreferredLayersRequest(data))
        case "setConsumerPriority": .setConsumerPriority(try SetConsumerPriorityRequest(data))
        case "requestConsumerKeyFrame": .requestConsumerKeyFrame(try data.consumerID())
        case "switchProducer": .switchProducer(try SwitchProducerRequest(data))
        case "produceData": .produceData(try ProduceDataRequest(data))
        case "closeDataProducer": .closeDataProducer(try data.dataProducerID())
        case "pauseDataProducer": .pauseDataProducer(try data.dataProducerID())
        case "resumeDataProducer": .resumeDataProducer(try data.dataProducerID())
        case "consumeData": .consumeData(try ConsumeDataRequest(data))
        case "closeDataConsumer": .closeDataConsumer(try data.dataConsumerID())
        case "pauseDataConsumer": .pauseDataConsumer(try data.dataConsumerID())
        case "resumeDataConsumer": .resumeDataConsumer(try data.dataConsumerID())
        case "setDataConsumerSubchannels":
            .setDataConsumerSubchannels(try SetDataConsumerSubchannelsRequest(data))
        case "setDataConsumerBufferedAmountLowThreshold":
            .setBufferedAmountLowThreshold(try SetBufferedAmountLowThresholdRequest(data))
        case "sendDataMessage": .sendDataMessage(try SendDataMessageRequest(data))
        case "changeDisplayName": .changeDisplayName(try data.displayName())
        case "getTransportStats": .getTransportStats(try data.transportID())
        case "getProducerStats": .getProducerStats(try data.producerID())
        case "getConsumerStats": .getConsumerStats(try data.consumerID())
        case "getDataProducerStats": .getDataProducerStats(try data.dataProducerID())
        case "getDataConsumerStats": .getDataConsumerStats(try data.dataConsumerID())
        case "applyNetworkThrottle": .applyNetworkThrottle
        case "resetNetworkThrottle": .resetNetworkThrottle
        default: nil
        }
    }
}

extension JSONReader {
    fileprivate func transportID() throws(JSONFieldError) -> TransportID {
        TransportID(try required("transportId").string(limit: 128))
    }

    fileprivate func producerID() throws(JSONFieldError) -> ProducerID {
        ProducerID(try required("producerId").string(limit: 128))
    }

    fileprivate func consumerID() throws(JSONFieldError) -> ConsumerID {
        ConsumerID(try required("consumerId").string(limit: 128))
    }

    fileprivate func dataProducerID() throws(JSONFieldError) -> DataProducerID {
        DataProducerID(try required("dataProducerId").string(limit: 128))
    }

    fileprivate func dataConsumerID() throws(JSONFieldError) -> DataConsumerID {
        DataConsumerID(try required("dataConsumerId").string(limit: 128))
    }

    /// Layers beyond those there are mean the highest, as in mediasoup.
    fileprivate func layer() throws(JSONFieldError) -> Int {
        let layer: Int = try integer()
        guard layer >= 0 else { throw failure("negative") }
        return layer
    }

    fileprivate func displayName() throws(JSONFieldError) -> String {
        try required("displayName").string(limit: 256)
    }
}

extension DeviceDescription: JSONReadable, JSONRepresentable {
    /// Reads the fields mediasoup's clients send.
    public init(_ reader: JSONReader) throws(JSONFieldError) {
        self.init(
            flag: try reader.optional("flag")?.string(limit: 128),
            name: try reader.optional("name")?.string(limit: 256),
            version: try reader.optional("version").map { field throws(JSONFieldError) in
                // Programs give their version as a number, too.
                guard case .string = field.value else {
                    return JSONValue.normalized(try field.number("not a string")).text
                }
                return try field.string(limit: 128)
            })
    }

    /// The fields mediasoup's clients read.
    public var json: JSONValue {
        .fields([
            "flag": flag.map { .string($0) }, "name": name.map { .string($0) }, "version": version.map { .string($0) },
        ])
    }
}

extension JoinRequest: JSONReadable {
    /// Reads the fields mediasoup's clients send.
    public init(_ reader: JSONReader) throws(JSONFieldError) {
        self.init(displayName: try reader.optional("displayName")?.string(limit: 256) ?? "")
        if let field = try reader.optional("device") { device = try DeviceDescription(field) }
        if let field = try reader.optional("rtpCapabilities") { rtpCapabilities = try RTPCapabilities(field) }
        receivesData = try reader.optional("sctpCapabilities") != nil
        let isBotWanted = try reader.optional("bot")?.bool() ?? true
        wantsBot = receivesData && isBotWanted
        getsDataBySignaling = try reader.optional("dataOverSignaling")?.bool() ?? false
        getsEncodingUse = try reader.optional("encodingUse")?.bool() ?? false
    }
}

extension CreateWebRtcTransportRequest: JSONReadable {
    /// Reads the fields mediasoup's clients send.
    public init(_ reader: JSONReader) throws(JSONFieldError) {
        self.init(
            candidates: try CandidateSelection(reader),
            producing: try reader.optional("producing")?.bool() ?? false,
            consuming: try reader.optional("consuming")?.bool() ?? false,
            dataChannels: try DataChannelsRequest.read(reader))
    }
}

extension RemoteDTLSParameters: JSONReadable {
    /// Reads the fields mediasoup's clients send.
    public init(_ reader: JSONReader) throws(JSONFieldError) {
        self.init(fingerprints: [])
        if let field = try reader.optional("role") {
            guard let known = DTLSRole(rawValue: try field.string()) else {
                throw field.failure("not one of auto, client, server")
            }
            role = known
        }
        let list = try reader.required("fingerprints")
        let entries = try list.array(limit: 16)
        guard !entries.isEmpty else { throw list.failure("empty") }
        for entry in entries {
            let name = try entry.required("algorithm")
            let value = try entry.required("value")
            // Of several, those of hashes that nobody here knows are passed over (RFC 8122 §5.1).
            guard let algorithm = DTLSFingerprint.Algorithm(rawValue: try name.string().lowercased()) else { continue }
            guard let fingerprint = DTLSFingerprint(algorithm: algorithm, text: try value.string()) else {
                throw value.failure("not \(algorithm.length) hexadecimal pairs with colons between")
            }
            fingerprints.append(fingerprint)
        }
        guard !fingerprints.isEmpty else {
            throw list.failure(
                "none by \(DTLSFingerprint.Algorithm.allCases.map(\.rawValue).joined(separator: ", "))")
        }
    }
}

extension ConnectWebRtcTransportRequest: JSONReadable {
    /// Reads the fields mediasoup's clients send.
    public init(_ reader: JSONReader) throws(JSONFieldError) {
        self.init(
            transportID: try reader.transportID(),
            dtlsParameters: try RemoteDTLSParameters(try reader.required("dtlsParameters")))
    }
}

extension ProduceRequest: JSONReadable {
    /// Reads the fields mediasoup's clients send.
    public init(_ reader: JSONReader) throws(JSONFieldError) {
        let kindField = try reader.required("kind")
        guard let kind = MediaKind(rawValue: try kindField.string()) else {
            throw kindField.failure("invalid kind \"\((try? kindField.string(limit: 32)) ?? "…")\"")
        }
        let appData = try reader.optional("appData")
        try appData?.checkObject("if given, appData must be an object")
        // Both go to everybody in the room, and are kept as long as the producer.
        try appData?.checkSize(Self.appDataBytes)
        let transportID = try reader.transportID()
        let parameters = try reader.required("rtpParameters")
        try parameters.checkSize(Self.parametersBytes)
        self.init(
            transportID: transportID, kind: kind, rtpParameters: try RTPParameters(parameters),
            isPaused: try reader.optional("paused")?.bool() ?? false, appData: appData?.value ?? .object([:]))
    }
}

extension SetConsumerPreferredLayersRequest: JSONReadable {
    /// Reads the fields mediasoup's clients send.
    public init(_ reader: JSONReader) throws(JSONFieldError) {
        self.init(
            consumerID: try reader.consumerID(),
            layers: PreferredLayers(
                spatialLayer: try reader.required("spatialLayer").layer(),
                temporalLayer: try reader.optional("temporalLayer")?.layer()))
    }
}

extension SetConsumerPriorityRequest: JSONReadable {
    /// Reads the fields mediasoup's clients send.
    public init(_ reader: JSONReader) throws(JSONFieldError) {
        let field = try reader.required("priority")
        let priority: Int = try field.integer()
        guard (1...255).contains(priority) else { throw field.failure("not 1 to 255") }
        self.init(consumerID: try reader.consumerID(), priority: priority)
    }
}

extension SwitchProducerRequest: JSONReadable {
    /// Reads both identifiers.
    public init(_ reader: JSONReader) throws(JSONFieldError) {
        self.init(consumerID: try reader.consumerID(), producerID: try reader.producerID())
    }
}
