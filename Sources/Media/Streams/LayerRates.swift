/// The bitrate of each spatial and temporal layer of one received stream.
///
/// Memory: nothing for a stream of one layer; else 112 bytes for each pair of layers, at most 64 pairs.
@safe struct LayerRates: ~Copyable {
    let spatialLayers: Int
    let temporalLayers: Int
    // Safe: owns `spatialLayers * temporalLayers` initialized windows, or is `nil` for one layer; `index` checks both.
    private let windows: UnsafeMutablePointer<RateWindow>?

    /// - Parameter window: 2.5 s, or 6 s with DTX.
    init(spatialLayers: Int, temporalLayers: Int, window: MediaDuration = .milliseconds(2500)) {
        self.spatialLayers = min(max(spatialLayers, 1), PacketLayers.spatialLayers)
        self.temporalLayers = min(max(temporalLayers, 1), PacketLayers.temporalLayers)
        let count = self.spatialLayers * self.temporalLayers
        guard count > 1 else {
            unsafe windows = nil
            return
        }
        let windows = UnsafeMutablePointer<RateWindow>.allocate(capacity: count)
        unsafe windows.initialize(repeating: RateWindow(window: window), count: count)
        unsafe self.windows = windows
    }

    deinit { unsafe windows?.deallocate() }

    /// Layers beyond those announced count for the highest ones that were.
    mutating func add(_ layers: PacketLayers, bytes: Int, at now: MediaInstant) {
        guard let windows = unsafe windows else { return }
        let spatial = min(Int(layers.spatialLayer), spatialLayers - 1)
        let temporal = min(Int(layers.temporalLayer), temporalLayers - 1)
        unsafe windows[spatial * temporalLayers + temporal].add(bytes: bytes, at: now)
    }

    /// Bits per second that a receiver of these layers gets: all of the lower spatial layers, and of its own the temporal
    /// layers up to the given one. Zero when the layer itself is not being sent.
    mutating func bitrate(spatial: Int, temporal: Int, at now: MediaInstant) -> UInt64 {
        guard let own = index(spatial, temporal), let windows = unsafe windows, unsafe windows[own].bitrate(at: now) > 0
        else { return 0 }
        var sum: UInt64 = 0
        for lower in 0..<(spatial * temporalLayers) { unsafe sum &+= windows[lower].bitrate(at: now) }
        for layer in 0...temporal { unsafe sum &+= windows[spatial * temporalLayers + layer].bitrate(at: now) }
        return sum
    }

    /// Calls `body` for each layer that is being sent, lowest first, with its spatial and temporal number and bitrate: the
    /// `bitrateByLayer` of the statistics, whose keys are "S.T".
    mutating func forEach(at now: MediaInstant, _ body: (Int, Int, UInt64) -> Void) {
        guard unsafe windows != nil else { return }
        for spatial in 0..<spatialLayers {
            for temporal in 0..<temporalLayers {
                let rate = bitrate(spatial: spatial, temporal: temporal, at: now)
                if rate > 0 { body(spatial, temporal, rate) }
            }
        }
    }

    private func index(_ spatial: Int, _ temporal: Int) -> Int? {
        guard (0..<spatialLayers).contains(spatial), (0..<temporalLayers).contains(temporal) else { return nil }
        return spatial * temporalLayers + temporal
    }
}

// MARK: Snapshot

extension LayerRates: Restorable {
    init(restoring reader: inout SnapshotReader) throws(WireError) {
        let spatial = try reader.read(in: 1...UInt8(PacketLayers.spatialLayers))
        let temporal = try reader.read(in: 1...UInt8(PacketLayers.temporalLayers))
        let rates = LayerRates(spatialLayers: Int(spatial), temporalLayers: Int(temporal))
        if let windows = unsafe rates.windows {
            for index in 0..<rates.spatialLayers * rates.temporalLayers { unsafe windows[index] = try reader.read() }
        }
        self = rates
    }

    func write(to writer: inout SnapshotWriter) {
        writer.writeUInt8(UInt8(truncatingIfNeeded: spatialLayers))
        writer.writeUInt8(UInt8(truncatingIfNeeded: temporalLayers))
        guard let windows = unsafe windows else { return }
        for index in 0..<spatialLayers * temporalLayers { unsafe writer.write(windows[index]) }
    }
}
