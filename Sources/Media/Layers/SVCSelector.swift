/// Which spatial and temporal layers of one SVC stream (VP9, AV1 by dependency descriptor) a consumer gets.
///
/// | change of the spatial layer | full SVC | K-SVC |
/// | --- | --- | --- |
/// | up | at a key frame | at a key frame |
/// | down | at the end of a frame of the lower layer, or when a picture begins | at a key frame |
///
/// Packets of unknown layers, and those of pictures older than the newest, pass: numbers were left free for them.
struct SVCSelector {
    private let isKSVC: Bool
    private var temporal = TemporalSelector()
    /// −1: nothing is wanted.
    private var target: Int8
    /// −1: nothing is being sent.
    private var current: Int8 = -1
    /// The highest layer that the stream had at its newest packet.
    private var highest: Int8 = 7
    private var reported: Int16 = -1
    /// The newest forwarded packet ended its picture: what follows a switch is no cut.
    private(set) var hasEndedPicture = true

    /// - Parameters:
    ///   - spatialLayers: 1…8; the highest is wanted at first.
    ///   - isKSVC: whether the scalability mode ends in `_KEY`.
    init(spatialLayers: Int, isKSVC: Bool) {
        self.isKSVC = isKSVC
        target = Int8(clamping: min(max(spatialLayers, 1), 8) - 1)
    }

    /// What is being sent; `nil` before the first key frame and while nothing is wanted.
    var layers: LayerPosition? {
        current < 0 ? nil : LayerPosition(spatial: Int(current), temporal: Int(temporal.current))
    }

    /// The layers to send, or `nil` for none; clamped to 0…7.
    mutating func setTarget(_ layers: LayerPosition?) {
        guard let layers else {
            target = -1
            current = -1
            return
        }
        target = Int8(clamping: min(max(layers.spatial, 0), 7))
        temporal.setTarget(layers.temporal)
    }

    /// Whether a key frame would bring a wanted change.
    var wantsKeyFrame: Bool {
        guard target >= 0 else { return false }
        let reachable = min(target, highest)
        return current < 0 || (isKSVC ? reachable != current : reachable > current)
    }

    /// Whether `layers` is another than at the last call.
    mutating func pollChange() -> Bool {
        let now = current < 0 ? -1 : Int16(current) << 3 | Int16(temporal.current)
        guard now != reported else { return false }
        reported = now
        return true
    }

    /// The consumer or producer was paused, or the stream restarted: begin with a key frame again.
    mutating func reset() {
        current = -1
        temporal.reset()
    }

    /// Judges one packet.
    /// - Parameters:
    ///   - isKeyFrame: whether a decoder can begin with this packet.
    ///   - hasMarker: the RTP marker as it was received.
    mutating func packetReceived(
        _ layers: PacketLayers, isKeyFrame: Bool, timestamp: UInt32, hasMarker: Bool
    ) -> LayerDecision {
        guard target >= 0, current >= 0 || isKeyFrame else { return .discard }
        let order = temporal.order(of: timestamp)
        if order == .late { return current >= 0 ? .forward : .discard }
        if layers.flags.contains(.isKnown) { highest = Int8(bitPattern: layers.highestSpatialLayer & 7) }
        let reachable = min(target, highest)
        var decision = LayerDecision.forward
        if isKeyFrame {
            decision.action = current < 0 ? .begin : .forward
            current = reachable
            temporal.begin(timestamp: timestamp)
        } else if !isKSVC, reachable < current, order == .next {
            current = reachable
        }
        guard layers.flags.contains(.isKnown) else {
            hasEndedPicture = hasMarker
            return decision
        }
        let endsFrame = layers.flags.contains(.endsFrame)
        let spatial = Int8(bitPattern: layers.spatialLayer & 7)
        if !isKSVC, endsFrame, spatial == reachable, reachable < current { current = reachable }
        guard temporal.packetReceived(layers, spatial: Int(current), isNext: order == .next) else { return .drop }
        decision.setsMarker = endsFrame && spatial == current
        hasEndedPicture = hasMarker || decision.setsMarker
        return decision
    }
}
