/// `produceData`.
public struct ProduceDataRequest: Sendable {
    /// The transport the client sends on.
    public var transportID: TransportID
    /// The client's channel.
    public var streamParameters: SCTPStreamParameters
    /// Its name, for the application.
    public var label: String
    /// What is spoken on it, for the application.
    public var protocolName: String
    /// Whether its messages are thrown away at first.
    public var isPaused: Bool
    /// Anything the client wants the others to know: a JSON object.
    public var appData: JSONValue

    /// Bytes that a label or protocol may have.
    static let textBytes = 1024
    /// Bytes that `appData` may have as JSON.
    static let appDataBytes = 4096

    /// A request.
    public init(
        transportID: TransportID, streamParameters: SCTPStreamParameters, label: String = "", protocolName: String = "",
        isPaused: Bool = false, appData: JSONValue = .object([:])
    ) {
        self.transportID = transportID
        self.streamParameters = streamParameters
        self.label = label
        self.protocolName = protocolName
        self.isPaused = isPaused
        self.appData = appData
    }
}

extension ProduceDataRequest: JSONReadable {
    /// Reads the fields mediasoup's clients send.
    public init(_ reader: JSONReader) throws(JSONFieldError) {
        let appData = try reader.optional("appData")
        try appData?.checkObject("if given, appData must be an object")
        try appData?.checkSize(Self.appDataBytes)
        self.init(
            transportID: TransportID(try reader.required("transportId").string(limit: 128)),
            streamParameters: try SCTPStreamParameters(
                try reader.required("sctpStreamParameters", "missing sctpStreamParameters")),
            label: try reader.optional("label")?.string(limit: Self.textBytes) ?? "",
            protocolName: try reader.optional("protocol")?.string(limit: Self.textBytes) ?? "",
            isPaused: try reader.optional("paused")?.bool() ?? false, appData: appData?.value ?? .object([:]))
    }
}
