import Testing

@testable import RoundhouseMedia

@Suite("Layer ladders")
struct LayerLadderTests {
    private func ladder(_ steps: [(spatial: Int, temporal: Int, cost: UInt64, value: Int)]) -> LayerLadder {
        var ladder = LayerLadder()
        for step in steps {
            ladder.add(
                LayerStep(
                    position: LayerPosition(spatial: step.spatial, temporal: step.temporal), cost: step.cost,
                    value: step.value))
        }
        return ladder
    }

    private func costs(_ ladder: LayerLadder) -> [UInt64] { (0..<ladder.count).map { ladder[$0].cost } }

    /// The worked example of three encodings of 150, 500 and 1500 kb/s.
    private let camera: [(spatial: Int, temporal: Int, cost: UInt64, value: Int)] = [
        (0, 0, 60, 312), (0, 1, 90, 442), (0, 2, 150, 520), (1, 0, 200, 456), (1, 1, 300, 646), (1, 2, 500, 760),
        (2, 0, 600, 564), (2, 1, 900, 799), (2, 2, 1500, 940),
    ]

    @Test func `steps stand by cost, and each brings less for a bit than the one before`() {
        let ladder = ladder(camera)
        #expect(costs(ladder) == [60, 90, 150, 300, 500, 1500])
        for index in 2..<ladder.count {
            let (a, b, c) = (ladder[index - 2], ladder[index - 1], ladder[index])
            #expect((b.value - a.value) * Int(c.cost - b.cost) > (c.value - b.value) * Int(b.cost - a.cost))
        }
    }

    @Test(arguments: 0..<50) func `the order in which steps are added does not matter`(seed: UInt64) {
        var random = SplitMix(seed: seed)
        #expect(costs(ladder(camera.shuffled(using: &random))) == costs(ladder(camera)))
    }

    @Test func `an encoding that costs more than a better one is left out`() {
        #expect(costs(ladder([(0, 7, 150, 520), (1, 7, 900, 760), (2, 7, 700, 940)])) == [150, 700])
        #expect(costs(ladder([(2, 7, 100, 940), (0, 7, 150, 520)])) == [100])
    }

    /// (1, 0) of 190 kb/s beside (0, 2) of 180: what was asked for is the top, whatever else the money would buy.
    @Test(arguments: 0..<3, 0..<3) func `the top of a ladder is what its client prefers`(spatial: Int, temporal: Int) {
        var rates = SourceRates()
        let start = MediaInstant(nanoseconds: 1_000_000_000)
        for tick in 0..<400 {
            for encoding in 0..<3 {
                var packet = PreparedPacket(
                    producer: 1, sequence: 0, timestamp: 0, headerLength: 32,
                    payloadLength: [110, 420, 1100][encoding],
                    encoding: UInt8(encoding), payloadType: 96, codec: .vp8, isKeyFrame: false, isPaddingOnly: false)
                packet.layers.temporalLayer = [0, 2, 1, 2][tick % 4]
                rates.packetArrived(packet, isSimulcast: true, at: start + .milliseconds(tick * 10))
            }
        }
        var ladder = LayerLadder()
        for encoding in 0...spatial {
            ladder.addLayers(
                of: encoding, among: 3, upTo: encoding == spatial ? temporal : 7, rates: &rates, at: start + .seconds(4)
            )
        }
        let top = ladder[ladder.top].position
        #expect(top.spatial == spatial)
        #expect(top.temporal == (temporal == 2 ? LayerPosition.highest.temporal : temporal))
    }

    @Test func `what costs nothing or more than any link is no step`() {
        #expect(ladder([(0, 0, 0, 500), (1, 0, 1 << 41, 700), (2, 0, 10, 0)]).isEmpty)
    }

    @Test func `a ladder holds as much as it may, and then takes no more`() {
        var many: [(spatial: Int, temporal: Int, cost: UInt64, value: Int)] = []
        for step in 1...40 { many.append((step / 8, step % 8, UInt64(step * step), step)) }
        #expect(ladder(many).count == LayerLadder.capacity)
    }

    @Test func `layers lie on the highest step that asks for no more`() {
        let ladder = ladder(camera)
        #expect(ladder.level(of: LayerPosition(spatial: 0, temporal: 0)) == 0)
        #expect(ladder.level(of: LayerPosition(spatial: 1, temporal: 0)) == 2)
        #expect(ladder.level(of: LayerPosition(spatial: 1, temporal: 7)) == 4)
        #expect(ladder.level(of: .highest) == ladder.top)
        #expect(LayerLadder().level(of: .highest) == -1)
    }
}
