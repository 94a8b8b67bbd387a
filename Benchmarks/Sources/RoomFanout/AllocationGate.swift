import Foundation

/// Counts what the media threads allocate while video flows, at two rates: what grows with the rate is the packets',
/// what does not is the timers'.
struct AllocationGate: Codable {
    /// Of each added packet. Counts at the two rates differ by the timers' phases, hence not 0.
    static let perPacketLimit = 0.0005
    /// Of each transport in a second, for what comes by time and not by packet: a client's ICE check, one every 2 s here,
    /// allocates once.
    static let perTransportLimit = 1.0

    var allocationsPerPacket: Double
    var timerAllocationsPerTransportAndSecond: Double
    var forwarded: Int

    var passes: Bool {
        allocationsPerPacket < Self.perPacketLimit && timerAllocationsPerTransportAndSecond < Self.perTransportLimit
    }

    var summary: String {
        "\(max(allocationsPerPacket, 0).text(5)) per packet, timers \(timerAllocationsPerTransportAndSecond.text(2)) "
            + "per transport and second"
    }

    static func run(_ load: Load, _ bench: Bench) async throws -> AllocationGate {
        let library = bench.tools.appendingPathComponent("libAllocationCounter.so").path
        let file = bench.folder.appendingPathComponent("allocations")
        let server = try Gateway(bench, environment: ["LD_PRELOAD": library, "ALLOCATION_COUNTS": file.path])
        let generator = try await server.load(load, bench)
        guard try count(in: file) > 0 else {
            throw ChildProcess.Failure(description: "the counter saw nothing: is the server's malloc another one?")
        }
        func allocations(at pace: Double) throws -> (Double, packets: Int) {
            generator.setPace(pace)
            _ = try generator.measure("allocation gate, warming up", seconds: 1)
            let before = try count(in: file)
            let run = try generator.measure("allocation gate", seconds: seconds, warmUp: 0)
            guard run.isValid else { throw ChildProcess.Failure(description: "the run is not valid: \(run.summary)") }
            return (try count(in: file) - before, run.received)
        }
        let (slow, fewer) = try allocations(at: load.packetsPerSecond)
        let (fast, more) = try allocations(at: load.packetsPerSecond * 3)
        generator.stop()
        await server.close()
        let perPacket = (fast - slow) / Double(more - fewer)
        let timers = slow - max(perPacket, 0) * Double(fewer)
        let transports = Double(load.rooms * (load.publishers + load.subscribers))
        return AllocationGate(
            allocationsPerPacket: perPacket,
            timerAllocationsPerTransportAndSecond: timers / Double(seconds) / transports, forwarded: fewer + more)
    }

    private static let seconds = 3

    /// The first of the file's 64-bit numbers: allocations since the start.
    private static func count(in file: URL) throws -> Double {
        Double(try Data(contentsOf: file).prefix(8).reversed().reduce(UInt64(0)) { $0 << 8 | UInt64($1) })
    }
}
