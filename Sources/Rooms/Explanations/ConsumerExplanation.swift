public import RoundhouseMedia

/// Why one consumer is sent the layers that it is sent, and what would change it.
public struct ConsumerExplanation: Sendable, JSONRepresentable {
    /// Which consumer.
    public var id: ConsumerID
    /// What it consumes.
    public var producerID: ProducerID
    /// How the one is called whose it is.
    public var sender: String
    /// `camera`, `screen` or whatever else its sender calls it; `nil` if it does not.
    public var source: String?
    /// Audio or video.
    public var kind: MediaKind
    /// What it is sent; `nil` for nothing, and of what has one layer.
    public var layers: ConsumerLayers?
    /// Bits per second.
    public var bitrate: UInt64
    /// What keeps it from more.
    public var limit: Limit

    /// What keeps a consumer from more, with all that a sentence about it needs. Rates are in bits per second.
    public enum Limit: Sendable {
        case sound
        case pausedByViewer
        case pausedBySender
        case notAccepted
        /// Nothing bounds it.
        case unbound
        /// It gets all there is.
        case everything
        /// Its viewer asked for no more.
        case viewer(ConsumerLayers)
        /// Its sender makes fewer of its encodings than it announced.
        case sender(made: Int, announced: Int)
        case budget(nextStep: UInt64, estimate: UInt64)
        /// The network is believed to carry more, and has not been seen to.
        case untried(nextStep: UInt64)
        case hold(nextStep: UInt64)
        case turn(nextStep: UInt64)
        case nothingFits(least: UInt64, estimate: UInt64)
        case silent
        /// Nothing was written down of that moment.
        case unknown
    }

    /// One plain sentence, or two: why it is no more, and what would change it.
    public var sentence: String {
        switch limit {
        case .sound: "Sound always comes whole: pictures make room for it."
        case .pausedByViewer: "Its viewer has paused it."
        case .pausedBySender: "Its sender has paused it."
        case .notAccepted: "Its viewer's client has not accepted it yet."
        case .unbound: "Nothing is known of the network, so all that is asked for is sent."
        case .everything: "It is sent all there is."
        case .viewer(let layers):
            """
            Its viewer has asked for no more than layers \(Self.text(layers)): a larger picture on its screen would change \
            that.
            """
        case .sender(let made, let announced):
            """
            Its sender makes \(made) of \(announced) encodings now: its own network, its processor or a small window \
            keeps it from more.
            """
        case .budget(let nextStep, let estimate):
            """
            A step up needs \(Rate.text(nextStep)) more, for which the \(Rate.text(estimate)) of the network have no room. \
            It comes when the network carries more, when another picture needs less, or with a higher priority.
            """
        case .untried(let nextStep):
            """
            A step up needs \(Rate.text(nextStep)) more. The network may carry that, but has not been seen to: it comes once a \
            short test has shown it.
            """
        case .hold(let nextStep):
            """
            So much was too much a short while ago. A step up, \(Rate.text(nextStep)) more, waits until the network has \
            been steady, or a test shows that it carries it.
            """
        case .turn(let nextStep):
            "A step up, \(Rate.text(nextStep)) more, comes in a moment: pictures grow one after the other."
        case .nothingFits(let least, let estimate):
            """
            Not even its least, \(Rate.text(least)), fits into the \(Rate.text(estimate)) of the network beside the others. \
            It comes back as soon as it does.
            """
        case .silent: "Its sender sends nothing of it."
        case .unknown: "Nothing was written down of it at that moment."
        }
    }

    /// What `limit` is called in JSON.
    public var reason: String {
        switch limit {
        case .sound: "sound"
        case .pausedByViewer: "pausedByViewer"
        case .pausedBySender: "pausedBySender"
        case .notAccepted: "notAccepted"
        case .unbound: "unbound"
        case .everything: "everything"
        case .viewer: "viewer"
        case .sender: "sender"
        case .budget: "budget"
        case .untried: "untried"
        case .hold: "hold"
        case .turn: "turn"
        case .nothingFits: "nothingFits"
        case .silent: "silent"
        case .unknown: "unknown"
        }
    }

    /// Bits per second that one step up would cost more; `nil` if none is known.
    public var nextStep: UInt64? {
        switch limit {
        case .budget(let nextStep, _), .untried(let nextStep), .hold(let nextStep), .turn(let nextStep),
            .nothingFits(let nextStep, _):
            nextStep
        default: nil
        }
    }

    /// The consumer's fields.
    public var json: JSONValue {
        .fields([
            "id": .string(id.rawValue), "producerId": .string(producerID.rawValue), "sender": .string(sender),
            "source": source.map { .string($0) }, "kind": .string(kind.rawValue), "layers": layers.map(Self.json),
            "bitrate": .count(bitrate), "reason": .string(reason), "nextStepBitrate": nextStep.map { .count($0) },
            "sentence": .string(sentence),
        ])
    }

    static func json(_ layers: ConsumerLayers) -> JSONValue {
        .object(["spatialLayer": .integer(Int64(layers.spatial)), "temporalLayer": .integer(Int64(layers.temporal))])
    }

    private static func text(_ layers: ConsumerLayers) -> String { "\(layers.spatial)/\(layers.temporal)" }

    var title: String {
        let what = source ?? (kind == .audio ? "sound" : "picture")
        let size = layers.map { "layers \(Self.text($0)), " } ?? ""
        return "\(sender), \(what): \(size)\(Rate.text(bitrate))"
    }
}
