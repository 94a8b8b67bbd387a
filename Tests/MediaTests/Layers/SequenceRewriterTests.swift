import Testing

@testable import RoundhouseMedia

/// One scripted line of life of a rewriter; numbers are relative to a base, outputs to the first output (which is 1).
private enum Step: Sendable {
    case sync(Int)
    case syncGap(Int, gap: Int)
    case give(Int, Int?)
    case drop(Int)
    case origin(Int, Int?)
}

private struct Row: Sendable, CustomTestStringConvertible {
    let testDescription: String
    let steps: [Step]
    init(_ name: String, _ steps: Step...) {
        testDescription = name
        self.steps = steps
    }
}

@Suite("SequenceRewriter")
struct SequenceRewriterTests {
    private static let rows: [Row] = [
        // Order
        Row("nothing passes before a source is given", .give(1, nil), .give(2, nil), .origin(1, nil)),
        Row("inputs in order get consecutive outputs", .sync(10), .give(10, 1), .give(11, 2), .give(12, 3)),
        Row("a loss upstream stays visible", .sync(10), .give(10, 1), .give(13, 4), .give(14, 5)),
        Row("late inputs fill their places", .sync(10), .give(10, 1), .give(13, 4), .give(12, 3), .give(11, 2)),
        Row("a repeated input gets its output again", .sync(10), .give(10, 1), .give(11, 2), .give(10, 1)),
        Row("an input before the first is refused", .sync(10), .give(9, nil), .give(10, 1), .give(8, nil)),
        Row("the first input need not be the synchronized one", .sync(10), .give(12, 3), .give(10, 1), .give(13, 4)),
        Row("a jump of thousands is kept", .sync(10), .give(10, 1), .give(3009, 3000), .give(11, 2)),
        // Drops
        Row("dropping the first input moves the rest down", .sync(10), .drop(10), .give(11, 1), .give(12, 2)),
        Row("one drop closes one gap", .sync(10), .give(10, 1), .drop(11), .give(12, 2), .give(13, 3)),
        Row("drops in a row close their gaps", .sync(10), .give(10, 1), .drop(11), .drop(12), .drop(13), .give(14, 2)),
        Row(
            "drops apart add up", .sync(10), .give(10, 1), .drop(11), .give(12, 2), .drop(13), .give(14, 3), .drop(15),
            .give(16, 4)),
        Row(
            "a dropped input never passes", .sync(10), .give(10, 1), .drop(11), .give(11, nil), .give(12, 2),
            .give(11, nil)),
        Row("dropping twice counts once", .sync(10), .give(10, 1), .drop(11), .drop(11), .give(12, 2)),
        Row("dropping what was sent changes nothing", .sync(10), .give(10, 1), .drop(10), .give(11, 2), .give(10, 1)),
        Row(
            "dropping an older input changes nothing", .sync(10), .give(10, 1), .give(12, 3), .drop(11), .give(13, 4),
            .give(11, 2)),
        Row("dropping before the first input changes nothing", .sync(10), .drop(9), .give(10, 1), .give(11, 2)),
        Row("dropping without a source changes nothing", .drop(9), .sync(10), .give(10, 1)),
        Row(
            "everything dropped leaves the numbering where it was", .sync(10), .drop(10), .drop(11), .drop(12),
            .give(13, 1)),
        Row("a drop after a loss keeps the loss", .sync(10), .give(10, 1), .drop(13), .give(14, 4)),
        Row("a far drop keeps the numbers before it free", .sync(10), .give(10, 1), .drop(1010), .give(1011, 1001)),
        // Late and dropped
        Row(
            "late inputs before a drop keep their offset", .sync(10), .give(10, 1), .drop(13), .give(14, 4),
            .give(12, 3),
            .give(11, 2)),
        Row(
            "late inputs between two drops have their own offset", .sync(10), .give(10, 1), .drop(11), .drop(14),
            .give(15, 4), .give(13, 3), .give(12, 2)),
        Row(
            "late inputs behind a drop follow its offset", .sync(10), .give(10, 1), .drop(11), .give(15, 5),
            .give(12, 2),
            .give(14, 4)),
        Row(
            "late inputs reach back over several drops", .sync(10), .drop(12), .drop(14), .drop(16), .give(17, 5),
            .give(15, 4), .give(13, 3), .give(11, 2), .give(10, 1)),
        Row("late inputs of a run that was never sent", .sync(10), .drop(12), .give(10, 1), .give(11, 2), .give(13, 3)),
        Row("a late input before everything is refused after drops", .sync(10), .give(10, 1), .drop(11), .give(9, nil)),
        Row(
            "a repeated input before a drop gets its output again", .sync(10), .give(10, 1), .drop(11), .give(12, 2),
            .give(10, 1)),
        // Synchronization
        Row("a new source continues", .sync(10), .give(10, 1), .give(11, 2), .sync(100), .give(100, 3), .give(101, 4)),
        Row("a source with lower numbers continues", .sync(1000), .give(1000, 1), .sync(3), .give(3, 2), .give(4, 3)),
        Row("the same number from a new source is a new packet", .sync(10), .give(10, 1), .sync(10), .give(10, 2)),
        Row("synchronizing twice gives out nothing", .sync(10), .sync(20), .sync(30), .give(30, 1)),
        Row(
            "late inputs of the old source are refused", .sync(10), .give(12, 3), .sync(100), .give(100, 4),
            .give(11, nil)),
        Row(
            "late inputs of the old source stay refused after drops", .sync(10), .give(10, 1), .drop(11), .give(12, 2),
            .sync(100), .give(100, 3), .drop(101), .give(102, 4), .give(12, nil)),
        Row(
            "late inputs of the new source pass", .sync(10), .give(10, 1), .sync(100), .give(102, 4), .give(100, 2),
            .give(101, 3)),
        Row("a drop before a switch leaves no gap", .sync(10), .give(10, 1), .drop(11), .sync(100), .give(100, 2)),
        Row("a loss before a switch leaves no gap", .sync(10), .give(10, 1), .drop(15), .sync(100), .give(100, 2)),
        Row("a switch can skip a number", .sync(10), .give(10, 1), .syncGap(100, gap: 1), .give(100, 3), .give(101, 4)),
        Row(
            "drops of the old source do not count in the new", .sync(10), .give(10, 1), .drop(12), .sync(11),
            .give(11, 2), .give(12, 3), .give(13, 4)),
        Row("a drop at the switch moves the rest down", .sync(10), .give(10, 1), .sync(100), .drop(100), .give(101, 2)),
        // The way back
        Row("an output leads back to its input", .sync(10), .give(10, 1), .give(11, 2), .origin(1, 10), .origin(2, 11)),
        Row("an output not given yet leads nowhere", .sync(10), .give(10, 1), .origin(2, nil), .origin(0, nil)),
        Row(
            "an output lost upstream leads to the lost input", .sync(10), .give(10, 1), .give(13, 4), .origin(2, 11),
            .origin(3, 12)),
        Row(
            "outputs around a drop lead back", .sync(10), .give(10, 1), .drop(11), .give(12, 2), .origin(1, 10),
            .origin(2, 12)),
        Row(
            "outputs of three runs lead back", .sync(10), .give(10, 1), .drop(11), .give(12, 2), .drop(13),
            .give(14, 3), .origin(1, 10), .origin(2, 12), .origin(3, 14)),
        Row(
            "outputs around a switch lead back", .sync(10), .give(10, 1), .sync(100), .give(100, 2), .origin(1, 10),
            .origin(2, 100)),
        Row(
            "a skipped output leads nowhere", .sync(10), .give(10, 1), .syncGap(100, gap: 1), .give(100, 3),
            .origin(2, nil), .origin(3, 100)),
        Row(
            "a skipped output stays nobody's where inputs were missing", .sync(10), .give(10, 1), .drop(15),
            .syncGap(100, gap: 1), .give(100, 3), .origin(2, nil)),
        Row(
            "an output reserved before a switch belongs to the new source", .sync(10), .give(10, 1), .drop(15),
            .sync(100), .give(100, 2), .origin(2, 100), .origin(1, 10)),
        Row(
            "a late output leads back", .sync(10), .give(10, 1), .drop(13), .give(14, 4), .give(12, 3), .origin(3, 12),
            .origin(4, 14)),
    ]

    @Test(
        arguments: rows,
        [0x1_0000, 0x1_0000 + 65_525, 0x1_0000 + 32_756, 0x1_0000 + 244])
    private func `numbers are rewritten and led back`(_ row: Row, base: UInt64) {
        for firstOutput: UInt64 in [1, 32767, 65_534] {
            var rewriter = SequenceRewriter(firstOutput: firstOutput)
            func input(_ number: Int) -> UInt64 { base + UInt64(number) }
            func output(_ number: Int) -> UInt64 { firstOutput - 1 + UInt64(number) }
            for (index, step) in row.steps.enumerated() {
                switch step {
                case .sync(let number): rewriter.synchronize(at: input(number))
                case .syncGap(let number, let gap): rewriter.synchronize(at: input(number), gap: UInt64(gap))
                case .drop(let number): rewriter.drop(input(number))
                case .give(let number, let expected):
                    let actual = rewriter.rewrite(input(number))
                    #expect(actual == expected.map(output), "step \(index)")
                case .origin(let number, let expected):
                    let actual = rewriter.original(ofOutput: output(number))?.extended
                    #expect(actual == expected.map(input), "step \(index)")
                }
            }
        }
    }

    @Test(
        arguments: [1, 200, 5000])
    func `many drops at the beginning move everything down, whatever the width on the wire`(count: UInt64) {
        for base: UInt64 in [0, 0x7FF0, 0xFFF0, 0x1_FFF0] {
            var rewriter = SequenceRewriter(firstOutput: 100)
            rewriter.synchronize(at: base)
            for number in 0..<count { rewriter.drop(base + number) }
            for number in 0..<10 as Range<UInt64> {
                let output = rewriter.rewrite(base + count + number)
                #expect(output == 100 + number)
            }
            let dropped = rewriter.rewrite(base + count - 1)
            #expect(dropped == nil)
        }
    }

    @Test func `over three cycles of 16 bits, with a drop in each, wire numbers follow each other`() {
        var extender = SequenceExtender()
        var rewriter = SequenceRewriter(firstOutput: 1)
        var expected: UInt64 = 1
        var wrong = 0
        for number in 0..<3 * 65_536 {
            let extended: UInt64
            switch extender.extend(UInt16(truncatingIfNeeded: number)) {
            case .newest(let newest): extended = newest
            case .late, .resynchronized, .implausible:
                Issue.record("number \(number) is not the newest")
                return
            }
            if number == 0 { rewriter.synchronize(at: extended) }
            // The same wire number is dropped in the first cycle, and passes in the next.
            if number % 65_536 == 7 + number / 65_536 {
                rewriter.drop(extended)
                continue
            }
            if rewriter.rewrite(extended) != expected { wrong += 1 }
            expected += 1
        }
        #expect(wrong == 0 && expected == 3 * 65_536 - 2)
    }

    @Test(
        arguments: 1...20 as ClosedRange<UInt64>)
    func `with any leap and drop, dropped inputs do not pass and no two inputs give one output`(seed: UInt64) {
        var random = TestRandom(state: seed)
        var rewriter = SequenceRewriter(firstOutput: 1000)
        rewriter.synchronize(at: 1 << 20)
        var dropped: Set<UInt64> = []
        var outputs: [UInt64: UInt64] = [:]
        for _ in 0..<2000 {
            let input = (1 << 20) + random.next() % 65_536
            if random.next() % 2 == 0, outputs.values.contains(input) == false {
                let isNew = input >= rewriter.nextInput
                rewriter.drop(input)
                if isNew { dropped.insert(input) }
            } else if let output = rewriter.rewrite(input) {
                #expect(!dropped.contains(input))
                #expect(outputs[output] == nil || outputs[output] == input)
                outputs[output] = input
            }
        }
    }

    @Test func `an output names the source it came from`() {
        var rewriter = SequenceRewriter(firstOutput: 1)
        rewriter.synchronize(at: 100, source: 2)
        _ = rewriter.rewrite(100)
        rewriter.synchronize(at: 500, source: 0)
        _ = rewriter.rewrite(500)
        let first = rewriter.original(ofOutput: 1)
        let second = rewriter.original(ofOutput: 2)
        #expect(first == SequenceRewriter.Original(source: 2, extended: 100))
        #expect(second == SequenceRewriter.Original(source: 0, extended: 500))
    }

    @Test func `history is bounded: what left it is refused, what is in it still leads back`() {
        var rewriter = SequenceRewriter(firstOutput: 1)
        rewriter.synchronize(at: 0)
        for number: UInt64 in 0..<1000 {
            if number % 2 == 0 { _ = rewriter.rewrite(number) } else { rewriter.drop(number) }
        }
        // 500 kept inputs, of which the last 64 runs (one input each) are remembered.
        let newest = rewriter.original(ofOutput: 500)?.extended
        let oldestKept = rewriter.original(ofOutput: 437)?.extended
        let forgotten = rewriter.original(ofOutput: 436)
        let lateKept = rewriter.rewrite(872)
        let lateForgotten = rewriter.rewrite(870)
        #expect(newest == 998)
        #expect(oldestKept == 872)
        #expect(forgotten == nil)
        #expect(lateKept == 437)
        #expect(lateForgotten == nil)
    }

    @Test(arguments: 1...20 as ClosedRange<UInt64>)
    func `the rewriter agrees with a plain model over random reordering and drops`(seed: UInt64) {
        var random = TestRandom(state: seed)
        let numbers = (0..<400).map { UInt64($0) + 65_400 }
        let dropped = Set(numbers.filter { _ in random.next() % 5 == 0 })
        // The model: an input's output is its rank among the kept ones.
        var rank: [UInt64: UInt64] = [:]
        for number in numbers where !dropped.contains(number) { rank[number] = UInt64(rank.count) + 1 }
        // Only kept packets arrive late (by up to four places): a late drop has no say in the numbering.
        var order = numbers
        for index in 1..<order.count where random.next() % 4 == 0 {
            let to = max(0, index - Int(random.next() % 4))
            let moved = order[to]
            if !dropped.contains(moved), order[to...index].allSatisfy({ !dropped.contains($0) || $0 > moved }) {
                order.remove(at: to)
                order.insert(moved, at: index)
            }
        }
        var rewriter = SequenceRewriter(firstOutput: 1)
        rewriter.synchronize(at: 65_400)
        var highestDropped: UInt64 = 0
        for number in order {
            if dropped.contains(number) {
                rewriter.drop(number)
                highestDropped = max(highestDropped, number)
            } else {
                let output = rewriter.rewrite(number)
                // Behind a drop that is still to come, an input was numbered before the drop was known.
                #expect(output == rank[number])
            }
        }
        for (number, output) in rank where output + 50 > UInt64(rank.count) {
            let original = rewriter.original(ofOutput: output)?.extended
            #expect(original == number)
        }
    }
}

/// SplitMix64: a seeded generator for tests.
private struct TestRandom {
    var state: UInt64
    mutating func next() -> UInt64 {
        state &+= 0x9E37_79B9_7F4A_7C15
        var z = state
        z = (z ^ (z >> 30)) &* 0xBF58_476D_1CE4_E5B9
        z = (z ^ (z >> 27)) &* 0x94D0_49BB_1331_11EB
        return z ^ (z >> 31)
    }
}
