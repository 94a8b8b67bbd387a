import Testing

@testable import RoundhouseMedia

@Suite("What a source's layers cost")
struct SourceRatesTests {
    private func packet(encoding: UInt8 = 0, spatial: UInt8 = 0, temporal: UInt8 = 0, bytes: UInt16) -> PreparedPacket {
        var packet = PreparedPacket(
            producer: 1, sequence: 0, timestamp: 0, headerLength: 32, payloadLength: bytes, encoding: encoding,
            payloadType: 96, codec: .vp8, isKeyFrame: false, isPaddingOnly: false)
        packet.layers.spatialLayer = spatial
        packet.layers.temporalLayer = temporal
        return packet
    }

    private let start = MediaInstant(nanoseconds: 5_000_000_000)

    /// 76 bytes are headers and tag, so that each packet is 1,000 bytes on the wire.
    @Test func `rates count headers of all kinds, and layers add up`() throws {
        var rates = SourceRates()
        for tick in 0..<300 {
            let now = start + .milliseconds(tick * 10)
            rates.packetArrived(packet(encoding: 1, temporal: UInt8(tick % 2), bytes: 924), isSimulcast: true, at: now)
        }
        let now = start + .seconds(3)
        let base = rates.cost(spatial: 1, temporal: 0, at: now)
        let whole = rates.cost(spatial: 1, temporal: 7, at: now)
        let absent = rates.cost(spatial: 0, temporal: 7, at: now)
        #expect((375_000...410_000).contains(try #require(base)))
        #expect((750_000...820_000).contains(try #require(whole)))
        #expect(absent == nil)
        #expect(rates.highestTemporal(of: 1) == 1)
        #expect(rates.highestSpatial == 1)
    }

    @Test func `a young layer costs at least the guess, and a layer that falls silent is believed slowly`() throws {
        var rates = SourceRates()
        for tick in 0..<100 {
            rates.packetArrived(packet(bytes: 924), isSimulcast: false, at: start + .milliseconds(tick * 10))
        }
        let young = rates.cost(spatial: 0, temporal: 0, guess: 1_500_000, at: start + .seconds(1))
        #expect(young == 1_500_000)
        for tick in 100..<400 {
            rates.packetArrived(packet(bytes: 924), isSimulcast: false, at: start + .milliseconds(tick * 10))
        }
        let measured = rates.cost(spatial: 0, temporal: 0, guess: 1_500_000, at: start + .seconds(4))
        let peak = try #require(measured)
        #expect((750_000...820_000).contains(peak))
        var cost = peak
        for second in 5...17 {
            for tenth in 0..<10 {
                let asked = rates.cost(
                    spatial: 0, temporal: 0, at: start + .seconds(second) + .milliseconds(tenth * 100))
                cost = try #require(asked)
            }
        }
        #expect((peak / 3...peak * 2 / 3).contains(cost))
    }

    @Test func `an encoding that restarts is measured again`() {
        var rates = SourceRates()
        for tick in 0..<300 {
            let now = start + .milliseconds(tick * 10)
            rates.packetArrived(packet(encoding: UInt8(tick % 2), bytes: 500), isSimulcast: true, at: now)
        }
        rates.reset(spatial: 1)
        let restarted = rates.cost(spatial: 1, temporal: 7, at: start + .seconds(3))
        let other = rates.cost(spatial: 0, temporal: 7, at: start + .seconds(3))
        #expect(restarted == nil && other != nil)
    }
}
