import RoundhouseMedia

/// What a transport may be sent and its client may send, in bits per second, as mediasoup's `setMaxIncomingBitrate`,
/// `setMaxOutgoingBitrate` and `setMinOutgoingBitrate` say it; `nil`: no limit.
public struct TransportBitrates: Equatable, Sendable {
    /// What the client is asked to send at most (REMB).
    public var maximumIncoming: UInt64?
    /// What the client is sent at most, whatever its network carries.
    public var maximumOutgoing: UInt64?
    /// What the client's network is believed to carry at least, whatever it says.
    public var minimumOutgoing: UInt64?

    /// No limits.
    public init() {}

    init(_ configuration: RoomConfiguration) {
        maximumIncoming = configuration.maximumIncomingBitrate
        maximumOutgoing = configuration.outgoingLimits?.maximum
        minimumOutgoing = configuration.outgoingLimits?.minimum
    }

    /// The least that may be set of what goes out, as in mediasoup: no estimate works below it.
    public static let leastOutgoing: UInt64 = 30_000

    /// - Throws: `RoomError` with code `invalidParameters`, or `wrongState` if one limit excludes the other; it names the field.
    func validate() throws(RoomError) {
        for (name, value) in [("maxOutgoingBitrate", maximumOutgoing), ("minOutgoingBitrate", minimumOutgoing)] {
            guard value ?? Self.leastOutgoing >= Self.leastOutgoing else {
                throw RoomError(.invalidParameters, "\(name): at least \(Self.leastOutgoing), or null for no limit")
            }
        }
        guard minimumOutgoing ?? 0 <= maximumOutgoing ?? .max else {
            throw RoomError(.wrongState, "minOutgoingBitrate: more than maxOutgoingBitrate, given now or before")
        }
    }

    /// Its fields in the API; what has no limit has none.
    var json: JSONValue {
        .fields([
            "maxIncomingBitrate": maximumIncoming.map { .count($0) },
            "maxOutgoingBitrate": maximumOutgoing.map { .count($0) },
            "minOutgoingBitrate": minimumOutgoing.map { .count($0) },
        ])
    }
}
