import Testing

@testable import RoundhouseMedia

/// What was promised of each message, over a path that loses, doubles and delays.
@Suite("SCTP over bad paths")
struct SCTPPairTests {
    /// How many seeds; a run by hand sets more (`SCTPSeeds`).
    static let seeds = 1...SCTPSeeds.count

    @Test(arguments: seeds) func `every promise is kept on every path`(seed: Int) throws {
        let world = SCTPWorld(seed: UInt64(seed))
        try world.run()
    }
}
