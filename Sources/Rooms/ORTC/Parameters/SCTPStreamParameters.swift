/// How a data channel's messages are sent: ORTC's `RTCDataChannelParameters`, as far as mediasoup has them.
public struct SCTPStreamParameters: Sendable, Hashable, JSONRepresentable {
    /// The stream in both directions.
    public var streamID: UInt16
    /// Whether they arrive in order, all of them.
    public var ordered: Bool
    /// How long an unordered message is tried, in milliseconds.
    public var maxPacketLifeTime: UInt16?
    /// How often an unordered message is sent again.
    public var maxRetransmits: UInt16?

    /// Parameters.
    public init(
        streamID: UInt16, ordered: Bool = true, maxPacketLifeTime: UInt16? = nil, maxRetransmits: UInt16? = nil
    ) {
        self.streamID = streamID
        self.ordered = ordered
        self.maxPacketLifeTime = maxPacketLifeTime
        self.maxRetransmits = maxRetransmits
    }

    /// The fields mediasoup's clients read.
    public var json: JSONValue {
        .fields([
            "streamId": .integer(Int64(streamID)), "ordered": .bool(ordered),
            "maxPacketLifeTime": maxPacketLifeTime.map { .integer(Int64($0)) },
            "maxRetransmits": maxRetransmits.map { .integer(Int64($0)) },
        ])
    }
}

extension SCTPStreamParameters: JSONReadable {
    /// Reads the fields mediasoup's clients send, by mediasoup's rules.
    public init(_ reader: JSONReader) throws(JSONFieldError) {
        let id: Int = try reader.required("streamId").integer()
        // 65,535 is no stream of a data channel's (RFC 8832 §6).
        guard (0...65_534).contains(id) else { throw try reader.required("streamId").failure("not 0 to 65534") }
        let (ordered, lifeTime, retransmits) = try Self.reliability(reader)
        self.init(
            streamID: UInt16(id), ordered: ordered ?? (lifeTime == nil && retransmits == nil),
            maxPacketLifeTime: lifeTime, maxRetransmits: retransmits)
    }

    /// What says how messages are sent; `ordered` is `nil` if it is not there.
    static func reliability(
        _ reader: JSONReader
    ) throws(JSONFieldError) -> (ordered: Bool?, maxPacketLifeTime: UInt16?, maxRetransmits: UInt16?) {
        let lifeTime = try number(reader, "maxPacketLifeTime")
        let retransmits = try number(reader, "maxRetransmits")
        guard lifeTime == nil || retransmits == nil else {
            throw reader.failure("cannot provide both maxPacketLifeTime and maxRetransmits")
        }
        let ordered = try reader.optional("ordered")?.bool()
        guard ordered != true || (lifeTime == nil && retransmits == nil) else {
            throw reader.failure("cannot be ordered with maxPacketLifeTime or maxRetransmits")
        }
        return (ordered, lifeTime, retransmits)
    }

    private static func number(_ reader: JSONReader, _ name: String) throws(JSONFieldError) -> UInt16? {
        guard let field = try reader.optional(name) else { return nil }
        let value: Int = try field.integer()
        guard let number = UInt16(exactly: value) else { throw field.failure("not 0 to 65535") }
        return number
    }
}
