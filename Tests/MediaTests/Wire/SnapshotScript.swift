import Testing

@testable import RoundhouseMedia

extension SplitMix {
    /// 0..<`limit`.
    mutating func below(_ limit: Int) -> Int { Int(next() % UInt64(limit)) }
    /// Once in so many times.
    mutating func isOne(in count: Int) -> Bool { below(count) == 0 }
}

/// A machine and a script of its life, which is to go on as if nothing had happened when the machine is written down in the
/// middle of it and restored.
struct SnapshotScript<Machine: Restorable & ~Copyable> {
    /// Gives the machine inputs and asks it for outputs. All that is random comes from the generator, so that the same step
    /// can be given to another.
    typealias Step = (inout Machine, _ index: Int, inout SplitMix, _ now: MediaInstant) throws -> String

    private let steps: Int
    private let pace: MediaDuration
    private let countOffset: Int?
    private let make: () -> Machine
    private let input: Step

    /// - Parameters:
    ///   - pace: the longest time between two steps.
    ///   - countOffset: where a number of things stands that the machine bounds.
    init(
        steps: Int = 300, pace: MediaDuration = .milliseconds(20), countOffset: Int? = nil,
        _ make: @escaping @autoclosure () -> Machine, step: @escaping Step
    ) {
        self.steps = steps
        self.pace = pace
        self.countOffset = countOffset
        self.make = make
        input = step
    }

    /// The script comes to the same end wherever the machine is moved, and what is not a snapshot of one is refused or
    /// harmless.
    func check(sourceLocation: SourceLocation = #_sourceLocation) throws {
        var isMissed = false
        for seed in 1...4 as ClosedRange<UInt64> {
            let whole = try run(seed)
            // A new machine in its place shows, or the script does not show what is kept.
            if try run(seed, movedAt: [steps / 2], keepsState: false).outputs != whole.outputs { isMissed = true }
            var generator = SplitMix(seed: seed)
            for moves in [1, 2, 30] {
                let instants = Set((0..<moves).map { _ in generator.below(steps) })
                let moved = try run(seed, movedAt: instants)
                if let index = zip(whole.outputs, moved.outputs).enumerated().first(where: { $1.0 != $1.1 })?.offset {
                    Issue.record(
                        "seed \(seed), step \(index): \(moved.outputs[index]) after moves, \(whole.outputs[index]) else",
                        sourceLocation: sourceLocation)
                }
                #expect(moved.bytes == whole.bytes, "seed \(seed)", sourceLocation: sourceLocation)
            }
        }
        #expect(isMissed, "nobody would miss what is written", sourceLocation: sourceLocation)
        let sample = try run(1, until: steps / 3).bytes
        for count in 0..<sample.count {
            #expect(throws: WireError.truncated, "\(count) of \(sample.count)", sourceLocation: sourceLocation) {
                _ = try restored(Array(sample[..<count]))
            }
        }
        if let countOffset {
            var damaged = sample
            damaged.replaceSubrange(countOffset..<countOffset + 2, with: [0xFF, 0xFF])
            #expect(throws: WireError.tooLarge, sourceLocation: sourceLocation) { _ = try restored(damaged) }
        }
        for seed in 1...3 as ClosedRange<UInt64> {
            let middle = try run(seed, until: steps / Int(seed + 1))
            try damage(middle.bytes, seed, at: middle.now, sourceLocation: sourceLocation)
        }
    }

    /// What damage makes of a snapshot is refused, or is a machine that writes itself as it was read, and that no input
    /// makes trap.
    private func damage(
        _ sample: [UInt8], _ seed: UInt64, at start: MediaInstant, sourceLocation: SourceLocation
    ) throws {
        var generator = SplitMix(seed: seed)
        for round in 0..<80 {
            var bytes = sample
            for _ in 0...generator.below(3) {
                // All of a field's bits are as likely as one of them.
                let position = generator.below(bytes.count)
                let value: UInt8 = [0, 1, 0x7F, 0x80, 0xFF, UInt8(truncatingIfNeeded: generator.next())].randomElement(
                    using: &generator)!
                for index in position..<min(position + [1, 2, 4, 8][generator.below(4)], bytes.count) {
                    bytes[index] = value
                }
            }
            guard var machine = try? restored(bytes) else { continue }
            let written = self.bytes(of: machine)
            #expect(
                written == Array(bytes.prefix(written.count)), "seed \(seed), round \(round)",
                sourceLocation: sourceLocation)
            var now = start
            for index in 0..<30 { _ = try step(&machine, at: steps / Int(seed + 1) + index, seed, &now) }
        }
    }

    private func run(
        _ seed: UInt64, movedAt instants: Set<Int> = [], keepsState: Bool = true, until end: Int? = nil
    ) throws -> (outputs: [String], bytes: [UInt8], now: MediaInstant) {
        var machine = make()
        var now = MediaInstant(nanoseconds: 1_000_000_000_000)
        var outputs: [String] = []
        for index in 0..<(end ?? steps) {
            if instants.contains(index) {
                let bytes = self.bytes(of: machine)
                machine = keepsState ? try restored(bytes, isWhole: true) : make()
                if keepsState { #expect(self.bytes(of: machine) == bytes) }
            }
            outputs.append(try step(&machine, at: index, seed, &now))
        }
        return (outputs, bytes(of: machine), now)
    }

    private func step(
        _ machine: inout Machine, at index: Int, _ seed: UInt64, _ now: inout MediaInstant
    ) throws -> String {
        var generator = SplitMix(seed: seed << 32 + UInt64(index))
        now = now + MediaDuration(nanoseconds: Int64.random(in: 0...pace.nanoseconds, using: &generator))
        return try input(&machine, index, &generator, now)
    }

    private func bytes(of machine: borrowing Machine) -> [UInt8] {
        var writer = SnapshotWriter()
        machine.write(to: &writer)
        return writer.bytes
    }

    private func restored(_ bytes: [UInt8], isWhole: Bool = false) throws(WireError) -> Machine {
        var reader = SnapshotReader(bytes)
        let machine = try Machine(restoring: &reader)
        if isWhole, !reader.isAtEnd { Issue.record("something is left of the snapshot") }
        return machine
    }
}
