public import RoundhouseMedia

/// What a client wants of a transport's data channels: mediasoup's options of both generations, and its clients'
/// `sctpCapabilities`.
public struct DataChannelsRequest: Sendable, Hashable {
    /// What the transport is made with.
    public var settings: DataTransportSettings

    /// mediasoup's defaults; the room's `DataLimits` bound what is asked for.
    public init(settings: DataTransportSettings = DataTransportSettings()) { self.settings = settings }

    /// Reads a transport request's fields.
    /// - Returns: `nil` if it asks for no data channels.
    static func read(_ reader: JSONReader) throws(JSONFieldError) -> DataChannelsRequest? {
        let capabilities = try reader.optional("sctpCapabilities")
        let isWanted = try reader.optional("enableSctp")?.bool() ?? (capabilities != nil)
        guard isWanted else { return nil }
        var request = DataChannelsRequest()
        let own = try reader.optional("numSctpStreams")
        if let streams = try capabilities?.optional("numStreams") ?? own {
            request.settings.outgoingStreams = try streams.required("OS").count(1...65_535)
            request.settings.incomingStreams = try streams.required("MIS").count(1...65_535)
        }
        for name in ["maxSctpMessageSize", "maxSendMessageSize", "maxReceiveMessageSize"] {
            guard let size = try reader.optional(name) else { continue }
            request.settings.largestMessage = try size.count(1...UInt32.max)
        }
        if let size = try reader.optional("sctpSendBufferSize") {
            request.settings.sendBuffer = try size.count(1...UInt32.max)
        }
        return request
    }
}

extension JSONReader {
    fileprivate func count<Value: FixedWidthInteger>(_ range: ClosedRange<Value>) throws(JSONFieldError) -> Value {
        let number: Int = try integer()
        guard let value = Value(exactly: number), range.contains(value) else {
            throw failure("not \(range.lowerBound) to \(range.upperBound)")
        }
        return value
    }
}
