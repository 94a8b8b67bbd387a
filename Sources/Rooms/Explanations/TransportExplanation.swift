public import RoundhouseMedia

/// What one transport's network carries, how it came to that, and what its consumers are sent.
public struct TransportExplanation: Sendable, JSONRepresentable {
    /// Which transport.
    public var id: TransportID
    /// What was known at the moment; `nil` if nothing was.
    public var sample: BandwidthSample?
    /// Whether anybody asks what its network carries.
    var isWatched = true
    /// Whether something is known of it at some other moment at least.
    var hasHistory = false
    /// Its consumers, in the order they were made.
    public var consumers: [ConsumerExplanation]
    /// What was known within the last ten minutes, if it was asked for: each with its time in milliseconds since 1970.
    public var history: [(time: Int64, sample: BandwidthSample)] = []
    /// What its consumers were given within that time.
    public var changes: [(time: Int64, consumer: ConsumerID?, change: LayerChange)] = []

    /// Why the estimate is what it is, in a sentence.
    public var sentence: String {
        guard let sample else {
            if hasHistory { return "Nothing was written down of it at that moment." }
            return isWatched
                ? "Its client says nothing of what arrives, so nothing bounds what it is sent."
                : "Nobody asks what its network carries (--bandwidth ignore, or plain RTP), so nothing bounds what it is sent."
        }
        let queue = "\(sample.queue) ms"
        return switch sample.cause {
        case .start: "Little has been heard of this network yet: a cautious start."
        case .rampUp: "The network carries what is sent, and bit by bit more is tried."
        case .delayOveruse: "A queue grew on the way, so less is sent until it has drained."
        case .foreignQueue: "Packets wait \(queue) however little is sent: others use the link, too."
        case .lossCongestion: "\(Self.percent(sample.loss)) of the packets were lost because too much was sent."
        case .lossRandomTolerated:
            "\(Self.percent(sample.inherentLoss)) of the packets are lost however much is sent; sending less would not help."
        case .policer: "Something on the way drops whatever exceeds a rate, without any queue."
        case .feedbackSilence: "Packets are sent, and nothing has been heard of them for a second or more."
        case .rttHigh: "The way there and back takes very long."
        case .probeRaised: "A short test has shown that the network carries more."
        case .probeFailed: "A short test for more has filled the network; this is what arrived of it."
        case .appLimitedHold: "Less is sent than the network is believed to carry, so nothing new is learned of it."
        case .remb: "The receiver itself says that it can take no more (REMB)."
        case .maxOutgoing: "More is not allowed for this transport."
        case .minOutgoing: "The network may carry less, but no less is allowed for this transport."
        case .remembered: "So much was carried on the same way before."
        case .routeChanged: "The client is reached by another way, of which little is known yet."
        case .restored: "What held the estimate back is over."
        }
    }

    /// Rates in bits per second, times in milliseconds, losses as shares (0…1).
    public var json: JSONValue {
        .fields([
            "id": .string(id.rawValue), "sentence": .string(sentence), "bandwidth": sample.map { Self.json($0) },
            "consumers": .array(consumers.map(\.json)),
            "history": history.isEmpty ? nil : .array(history.map { Self.json($0.sample, time: $0.time) }),
            "changes": history.isEmpty
                ? nil
                : .array(
                    changes.map {
                        .fields([
                            "time": .integer($0.time), "consumerId": $0.consumer.map { .string($0.rawValue) },
                            "layers": $0.change.layers.map { ConsumerExplanation.json($0) },
                            "reason": .string("\($0.change.reason)"), "bitrate": Self.bits($0.change.cost),
                        ])
                    }),
        ])
    }

    var lines: [String] {
        var lines = ["Transport \(id): \(figures)\(sentence)"]
        for consumer in consumers { lines += ["  " + consumer.title, "    " + consumer.sentence] }
        if consumers.isEmpty { lines.append("  It has no consumers.") }
        return lines
    }

    private var figures: String {
        guard let sample else { return "" }
        var text = "\(Rate.text(UInt64(sample.estimate) * 1000)) may be sent, "
        text += "\(Rate.text(UInt64(sample.acknowledged) * 1000)) arrive, packets wait \(sample.queue) ms, "
        text += "\(Self.percent(sample.loss)) are lost"
        if sample.roundTripTime > 0 { text += ", \(sample.roundTripTime) ms there and back" }
        return text + ". "
    }

    private static func bits(_ kilobits: UInt32) -> JSONValue { .count(UInt64(kilobits) * 1000) }

    private static func percent(_ part: UInt16) -> String {
        let tenths = (Int(part) * 1000 + 32_768) / 65_536
        return "\(tenths / 10).\(tenths % 10) %"
    }

    private static func json(_ sample: BandwidthSample, time: Int64? = nil) -> JSONValue {
        .fields([
            "time": time.map { .integer($0) }, "estimate": bits(sample.estimate),
            "acknowledged": bits(sample.acknowledged), "allocated": bits(sample.allocated),
            "wanted": bits(sample.wanted), "queue": .integer(Int64(sample.queue)),
            "loss": .normalized(Double(sample.loss) / 65_536),
            "inherentLoss": .normalized(Double(sample.inherentLoss) / 65_536),
            "roundTripTime": sample.roundTripTime > 0 ? .integer(Int64(sample.roundTripTime)) : nil,
            "cause": .string("\(sample.cause)"), "verdict": .string("\(sample.verdict)"),
            "lossClass": .string("\(sample.lossClass)"), "isApplicationLimited": .bool(sample.isApplicationLimited),
        ])
    }
}
