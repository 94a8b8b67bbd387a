import Testing

@testable import RoundhouseMedia

@Suite("Layer allocation")
struct LayerAllocatorTests {
    private static let kilo: UInt64 = 1000

    /// A camera of three encodings, in kb/s.
    private static let camera: LayerLadder = {
        var ladder = LayerLadder()
        for (spatial, temporal, cost, value) in [
            (0, 7, 150, 520), (1, 1, 300, 646), (1, 7, 500, 760), (2, 7, 1500, 940),
        ] {
            ladder.add(
                LayerStep(
                    position: LayerPosition(spatial: spatial, temporal: temporal), cost: UInt64(cost) * kilo,
                    value: value))
        }
        return ladder
    }()

    /// Consumers that all see a camera, and the time.
    private struct Call {
        var allocator = LayerAllocator()
        var now = MediaInstant(nanoseconds: 1_000_000_000)

        init(_ priorities: [UInt8]) {
            for (index, priority) in priorities.enumerated() {
                allocator.add(Slot(index: UInt32(index), generation: 0), priority: priority)
            }
        }

        mutating func allocate(
            _ keeping: Int, raising: Int? = nil, isCongested: Bool = false, mayPauseAll: Bool = false,
            _ ladder: (Int) -> LayerLadder = { _ in camera }
        ) {
            var ladders = allocator.shares.indices.map(ladder)
            allocator.allocate(
                .init(
                    keeping: UInt64(keeping) * kilo, raising: UInt64(raising ?? keeping) * kilo,
                    isCongested: isCongested, mayPauseAll: mayPauseAll), among: &ladders, at: now)
            #expect(ladders.count == allocator.shares.count)
        }

        /// Decides again and again until nothing changes.
        mutating func settle(_ budget: Int) {
            for _ in 0..<40 {
                allocate(budget)
                now = now + .milliseconds(600)
            }
        }

        var costs: [UInt64] { allocator.shares.map { $0.cost / kilo } }
        var reasons: [LayerReason] { allocator.shares.map(\.reason) }
    }

    @Test(arguments: [
        (100, [150 as UInt64]), (150, [150]), (299, [150]), (300, [300]), (1499, [500]), (1500, [1500]), (9999, [1500]),
    ]) func `one video gets the best that fits`(budget: Int, costs: [UInt64]) {
        var call = Call([1])
        call.allocate(budget)
        #expect(call.costs == costs)
        #expect(call.allocator.allocated == costs[0] * Self.kilo)
    }

    @Test func `everybody gets a picture before somebody gets a better one, and the oldest is the first`() {
        var call = Call([1, 1, 1])
        call.settle(449)
        #expect(call.costs == [150, 150, 0])
        #expect(call.reasons == [.budget, .budget, .pausedForBudget])
        var roomier = Call([1, 1, 1])
        roomier.settle(600)
        #expect(roomier.costs == [300, 150, 150])
    }

    @Test func `the only picture is given up for real congestion alone, and comes back after the hold`() {
        var call = Call([1, 1])
        call.settle(600)
        call.allocate(50, isCongested: true)
        #expect(call.costs == [150, 0])
        call.allocate(50, isCongested: true, mayPauseAll: true)
        #expect(call.costs == [0, 0])
        call.allocate(50)
        #expect(call.costs == [0, 0])
        call.now = call.now + LayerAllocator.firstHold + .milliseconds(1)
        call.allocate(50)
        #expect(call.costs == [150, 0])
    }

    @Test func `the more important gets more`() {
        var call = Call([1, 4, 1])
        call.settle(850)
        #expect(call.costs == [150, 500, 150])
    }

    @Test func `an important one that comes later takes from the others`() {
        var call = Call([1, 1])
        call.settle(1000)
        #expect(call.costs == [500, 500])
        call.allocator.setPriority(10, of: Slot(index: 1, generation: 0))
        call.allocator.add(Slot(index: 2, generation: 0), priority: 1)
        call.settle(1000)
        #expect(call.costs == [300, 500, 150])
    }

    @Test func `a decline is followed at once, and a rise only from well below it for some time`() {
        var call = Call([1])
        call.settle(1500)
        #expect(call.costs == [1500])
        call.allocate(600, isCongested: true)
        #expect(call.costs == [500])
        let declinedAt = call.now
        call.allocate(1500)
        #expect(call.costs == [500])
        #expect(call.reasons == [.hold])
        // What proves more than what was too much ends it earlier.
        #expect(call.allocator.nextStep == 1_500_000 && call.allocator.stepToProve == 1_687_500)
        call.now = declinedAt + LayerAllocator.firstHold + .milliseconds(1)
        call.allocate(1500)
        #expect(call.costs == [1500])
        // A second decline within a minute holds for twice as long.
        call.now = call.now + .seconds(10)
        call.allocate(600, isCongested: true)
        let secondAt = call.now
        call.now = secondAt + LayerAllocator.firstHold + .milliseconds(1)
        call.allocate(1500)
        #expect(call.costs == [500])
        call.allocator.releaseHold()
        call.allocate(1500)
        #expect(call.costs == [1500])
    }

    @Test func `after a deep fall what is well below the peak comes back as soon as it fits`() {
        var call = Call([1])
        call.settle(1500)
        call.allocate(160, isCongested: true)
        #expect(call.costs == [150])
        call.now = call.now + .milliseconds(700)
        call.allocate(900)
        #expect(call.costs == [500])
    }

    @Test func `without signs of congestion a little too much is kept`() {
        var call = Call([1])
        call.settle(500)
        call.allocate(460)
        #expect(call.costs == [500])
        call.allocate(460, isCongested: true)
        #expect(call.costs == [300])
    }

    @Test func `key frames come one after the other`() {
        var call = Call([1, 1, 1, 1])
        call.settle(600)
        #expect(call.costs == [150, 150, 150, 150])
        var raised: [Int] = []
        for _ in 0..<8 {
            call.allocate(6000)
            raised.append(call.costs.count { $0 == 1500 })
            call.now = call.now + .milliseconds(500)
        }
        #expect(raised == [1, 2, 3, 4, 4, 4, 4, 4])
    }

    @Test(arguments: 0..<50) func `more budget never costs anybody a layer, and nobody exceeds the budget`(seed: UInt64)
    {
        var random = SplitMix(seed: seed)
        let priorities = (0..<Int.random(in: 1...12, using: &random)).map { _ in UInt8.random(in: 1...5, using: &random)
        }
        var previous: [UInt64]?
        // Below a base the only picture exceeds it.
        for budget in stride(from: 150, through: 12_000, by: 317) {
            var call = Call(priorities)
            call.settle(budget)
            #expect(call.costs.reduce(0, +) <= UInt64(budget))
            // A better set may take from one: but with equal ladders and priorities the sum only grows.
            if let previous { #expect(call.costs.reduce(0, +) >= previous.reduce(0, +)) }
            previous = call.costs
        }
    }

    @Test(arguments: 0..<50) func `with the same budget it comes to rest`(seed: UInt64) {
        var random = SplitMix(seed: seed)
        var call = Call(
            (0..<Int.random(in: 1...12, using: &random)).map { _ in UInt8.random(in: 1...5, using: &random) })
        call.settle(Int.random(in: 100...8000, using: &random))
        let costs = call.costs
        call.allocate(Int(call.allocator.allocated / Self.kilo), raising: 0)
        #expect(call.costs == costs)
    }

    @Test func `the demand names the next step and all that is wanted`() {
        var call = Call([1, 1])
        call.settle(700)
        #expect(call.costs == [300, 300])
        #expect(call.allocator.nextStep == 800 * Self.kilo)
        #expect(call.allocator.wanted == 3000 * Self.kilo)
        call.settle(4000)
        #expect(call.allocator.nextStep == 0)
        #expect(call.reasons == [.wanted, .wanted])
    }

    @Test func `a source that sends nothing takes nothing`() {
        var call = Call([1, 1])
        call.allocate(2000) { $0 == 0 ? LayerLadder() : Self.camera }
        #expect(call.costs == [0, 1500])
        #expect(call.reasons == [.sourceSilent, .wanted])
    }
}
