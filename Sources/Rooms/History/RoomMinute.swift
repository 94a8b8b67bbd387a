/// How a room was in one minute.
public struct RoomMinute: Sendable, Hashable, JSONRepresentable {
    /// Whose packets were lost most.
    struct Worst: Sendable, Hashable {
        var peerID: PeerID
        var displayName: String
        /// The share of its packets, 0…1, in whichever direction it was greater.
        var loss: Double
    }

    /// When it began and ended, in milliseconds since 1970. The first one of a room may be short; one follows another that the
    /// media threads said nothing about.
    var from: Int64
    var until: Int64
    /// At its end.
    var peers: Int
    var producers: Int
    var consumers: Int
    /// Bits a second, on the average, over the transports that were open at the end.
    var receivedBitrate: UInt64
    var sentBitrate: UInt64
    /// The share (0…1) of packets that were lost on their way to the server, and to its receivers, before any was sent again;
    /// `nil` if none was due.
    var lossReceived: Double?
    var lossSent: Double?
    /// The longest of its end, in milliseconds; `nil` if nobody has reported one.
    var roundTrip: Double?
    /// `nil` if nothing was lost.
    var worst: Worst?

    /// The minute's fields.
    public var json: JSONValue {
        .fields([
            "from": .integer(from), "until": .integer(until), "peers": .integer(Int64(peers)),
            "producers": .integer(Int64(producers)), "consumers": .integer(Int64(consumers)),
            "receivedBitrate": .count(receivedBitrate), "sentBitrate": .count(sentBitrate),
            "lossReceived": lossReceived.map { .normalized($0) }, "lossSent": lossSent.map { .normalized($0) },
            "roundTrip": roundTrip.map { .normalized($0) },
            "worst": worst.map {
                .object([
                    "peerId": .string($0.peerID.rawValue), "displayName": .string($0.displayName),
                    "loss": .normalized($0.loss),
                ])
            },
        ])
    }
}
