/// What each layer of a producer costs those who receive it: bits per second on the wire, as its packets arrive on a shard.
///
/// A rate that falls is believed slowly, since a still picture moves again: half of the difference in ten seconds.
struct SourceRates {
    /// One layer of one encoding: the packets that belong to it and to no layer below.
    fileprivate struct Layer {
        let spatial: UInt8
        let temporal: UInt8
        let firstAt: MediaInstant
        var window = RateWindow(window: SourceRates.window)
        /// The highest rate, as far as it is still believed, and since when.
        var peak: UInt64 = 0
        var peakAt: MediaInstant
    }

    private static let window = MediaDuration.milliseconds(2500)
    /// A rate over less time says nothing: it begins with a key frame.
    private static let shortest = MediaDuration.milliseconds(500)
    /// Half of what a peak lies above the rate is forgotten in this time.
    private static let halfLife: Int64 = 10_000
    /// SRTP's tag and the headers of UDP and IPv4.
    private static let overhead = 16 + 28
    private static let capacity = 64

    private var layers: [Layer] = []

    /// - Parameter isSimulcast: whether an encoding is a spatial layer.
    mutating func packetArrived(_ packet: PreparedPacket, isSimulcast: Bool, at now: MediaInstant) {
        let spatial = isSimulcast ? packet.encoding : packet.layers.spatialLayer & 7
        let temporal = packet.layers.temporalLayer & 7
        let bytes = Int(packet.headerLength) + Int(packet.payloadLength) + Self.overhead
        for index in layers.indices where layers[index].spatial == spatial && layers[index].temporal == temporal {
            return layers[index].window.add(bytes: bytes, at: now)
        }
        guard layers.count < Self.capacity else { return }
        var layer = Layer(spatial: spatial, temporal: temporal, firstAt: now, peakAt: now)
        layer.window.add(bytes: bytes, at: now)
        layers.append(layer)
    }

    /// An encoding's stream ended or restarted.
    mutating func reset(spatial: Int) { layers.removeAll { $0.spatial == UInt8(truncatingIfNeeded: spatial) } }

    /// The highest temporal layer of a spatial one; `nil` if nothing of it came.
    func highestTemporal(of spatial: Int) -> Int? {
        layers.lazy.filter { Int($0.spatial) == spatial }.map { Int($0.temporal) }.max()
    }

    /// The highest spatial layer; `nil` before the first packet.
    var highestSpatial: Int? { layers.lazy.map { Int($0.spatial) }.max() }

    /// What a spatial layer costs up to a temporal one, without the spatial ones below.
    /// - Parameter guess: what it is taken to cost at least, until it has been measured for long enough: an encoder begins
    ///   with less than it will make.
    /// - Returns: `nil` while nothing of it has come.
    mutating func cost(spatial: Int, temporal: Int, guess: UInt64 = 0, at now: MediaInstant) -> UInt64? {
        var sum: UInt64 = 0
        var age: MediaDuration?
        for index in layers.indices
        where Int(layers[index].spatial) == spatial && Int(layers[index].temporal) <= temporal {
            let ageOfLayer = now - layers[index].firstAt
            age = max(age ?? .zero, ageOfLayer)
            if ageOfLayer >= Self.shortest { sum += rate(at: index, age: ageOfLayer, at: now) }
        }
        guard let age else { return nil }
        return age < Self.window ? max(sum, guess) : sum
    }

    private mutating func rate(at index: Int, age: MediaDuration, at now: MediaInstant) -> UInt64 {
        var rate = layers[index].window.bitrate(at: now)
        if age < Self.window { rate = rate * UInt64(Self.window.milliseconds) / UInt64(max(age.milliseconds, 1)) }
        // Nearly exp(−t·ln 2 / 10 s) for the short times between two questions.
        let passed = min((now - layers[index].peakAt).milliseconds, Self.halfLife)
        let excess = layers[index].peak > rate ? layers[index].peak - rate : 0
        layers[index].peak = rate + excess - excess * UInt64(max(passed, 0)) * 7 / 10 / UInt64(Self.halfLife)
        layers[index].peakAt = now
        return layers[index].peak
    }
}

// MARK: Snapshot

extension SourceRates: Restorable {
    init(restoring reader: inout SnapshotReader) throws(WireError) {
        for _ in 0..<(try reader.readCount(atMost: Self.capacity)) { layers.append(try reader.read()) }
    }

    func write(to writer: inout SnapshotWriter) {
        writer.writeCount(layers.count)
        for layer in layers { writer.write(layer) }
    }
}

extension SourceRates.Layer: Restorable {
    init(restoring reader: inout SnapshotReader) throws(WireError) {
        spatial = try reader.read(in: 0...7)
        temporal = try reader.read(in: 0...7)
        firstAt = try reader.read()
        window = try reader.read()
        peak = try reader.readCounter()
        peakAt = try reader.read()
    }

    func write(to writer: inout SnapshotWriter) {
        writer.write(spatial)
        writer.write(temporal)
        writer.write(firstAt)
        writer.write(window)
        writer.write(peak)
        writer.write(peakAt)
    }
}
