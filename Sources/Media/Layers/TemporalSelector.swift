/// Which temporal layers of a stream one consumer gets: VP8 by its descriptor, H.265 by its unit headers, everything with
/// dependency descriptors.
///
///     current < target: up at the first frame that allows it, one layer at a time unless the descriptor is exact
///     current > target: down when the next picture begins
///
/// Packets of unknown layers, and those of pictures older than the newest, pass: numbers were left free for them.
struct TemporalSelector {
    /// The highest layer wanted, 0…7.
    private(set) var target: Int8 = 7
    /// The highest layer being sent, 0…7.
    private(set) var current: Int8 = 7
    private var newestTimestamp: UInt32 = 0
    private var hasStarted = false

    init() {}

    /// Takes effect where the stream allows it.
    mutating func setTarget(_ layer: Int) { target = Int8(clamping: min(max(layer, 0), 7)) }

    /// A key frame begins: every layer can be had from here.
    mutating func begin(timestamp: UInt32) {
        current = target
        newestTimestamp = timestamp
        hasStarted = true
    }

    mutating func reset() { hasStarted = false }

    /// Where the packet's picture stands against those before; the newest moves on with it.
    enum Order { case late, current, next }

    mutating func order(of timestamp: UInt32) -> Order {
        guard hasStarted else {
            newestTimestamp = timestamp
            hasStarted = true
            return .next
        }
        let step = Int32(bitPattern: timestamp &- newestTimestamp)
        if step < 0 { return .late }
        if step == 0 { return .current }
        newestTimestamp = timestamp
        return .next
    }

    /// Judges a packet that is not late.
    /// - Parameters:
    ///   - spatial: the spatial layer being sent.
    ///   - isNext: the first packet of its picture to arrive.
    mutating func packetReceived(_ layers: PacketLayers, spatial: Int, isNext: Bool) -> Bool {
        guard layers.flags.contains(.isKnown) else { return true }
        if current > target {
            if isNext { current = target }
        } else if current < target, layers.flags.contains(.startsFrame) {
            climb(layers, spatial: spatial, isNext: isNext)
        }
        return layers.isNeeded(spatial: spatial, temporal: Int(current))
    }

    private mutating func climb(_ layers: PacketLayers, spatial: Int, isNext: Bool) {
        guard layers.flags.contains(.describesTargets) else {
            // The sync bits of VP8, VP9 and H.265 speak of the packet's own layer. Only the one above the current is
            // taken: a frame of a still higher layer may refer to one in between that was left out. And only with the
            // picture's first packet to arrive: of one that was overtaken, the others were left out already.
            let next = current + 1
            if isNext, layers.temporalLayer == UInt8(bitPattern: next),
                layers.allowsSwitch(spatial: spatial, temporal: Int(next))
            {
                current = next
            } else if layers.switchTo == .max {
                current = target
            }
            return
        }
        // Who can decode this frame can decode the new layer (§A.7), and can, if it has had the current layer whole.
        guard layers.isNeeded(spatial: spatial, temporal: Int(current)) else { return }
        if layers.allowsSwitch(spatial: spatial, temporal: Int(target)) { current = target }
    }
}
