/// The choices of layers that one consumer has, cheapest first: only those of which no mixture of cheaper and dearer ones
/// is worth more at the same cost. So an encoding that costs more than a better one is left out, and each further step
/// brings less for each bit than the one before, which makes the best first step the best choice.
struct LayerLadder: Sendable {
    /// What is added beyond is left out; a source seldom has more than nine.
    static let capacity = 16
    /// A stream of a terabit is none.
    private static let highestCost: UInt64 = 1 << 40

    private var steps = InlineArray<16, LayerStep>(
        repeating: LayerStep(position: LayerPosition(spatial: 0, temporal: 0), cost: 0, value: 0))
    private(set) var count = 0

    var isEmpty: Bool { count == 0 }

    /// - Parameter index: 0..<`count`.
    subscript(index: Int) -> LayerStep { steps[index] }

    /// The last step: everything that is wanted.
    var top: Int { count - 1 }

    /// Adds a choice, in any order.
    mutating func add(_ step: LayerStep) {
        guard step.cost > 0, step.cost < Self.highestCost, step.value > 0, count < Self.capacity else { return }
        var place = count
        while place > 0, (steps[place - 1].cost, -steps[place - 1].value) > (step.cost, -step.value) { place -= 1 }
        if place > 0, steps[place - 1].value >= step.value { return }
        var index = count
        while index > place {
            steps[index] = steps[index - 1]
            index -= 1
        }
        steps[place] = step
        count += 1
        removeDominated(from: place + 1)
        removeBelowHull()
    }

    /// The highest step that costs no more than what is being sent, with a little tolerance for rates that move; −1 for none.
    func level(ofCost cost: UInt64) -> Int {
        var level = -1
        for index in 0..<count where steps[index].cost <= cost + cost / 50 { level = index }
        return level
    }

    /// The highest step that asks for no more than these layers; −1 for none.
    func level(of position: LayerPosition) -> Int {
        var level = -1
        for index in 0..<count {
            let step = steps[index].position
            let isSame = step.spatial == position.spatial
            if step.spatial < position.spatial || (isSame && step.temporal <= position.temporal) { level = index }
        }
        return level
    }

    private mutating func remove(_ place: Int) {
        var index = place
        while index + 1 < count {
            steps[index] = steps[index + 1]
            index += 1
        }
        count -= 1
    }

    private mutating func removeDominated(from first: Int) {
        while first < count, steps[first].value <= steps[first - 1].value { remove(first) }
    }

    /// Takes out each step that lies on or below the line between its neighbors. The cheapest stays: it is what makes a
    /// picture at all.
    private mutating func removeBelowHull() {
        var index = 1
        while index + 1 < count {
            let (before, step, after) = (steps[index - 1], steps[index], steps[index + 1])
            let rise = (step.value - before.value) * Int(after.cost - step.cost)
            let next = (after.value - step.value) * Int(step.cost - before.cost)
            if rise <= next {
                remove(index)
                index = max(index - 1, 1)
            } else {
                index += 1
            }
        }
    }
}

// MARK: Recordings

extension LayerLadder: Restorable {
    /// Whether all steps are the same.
    func isSame(as other: LayerLadder) -> Bool {
        guard count == other.count else { return false }
        for index in 0..<count where steps[index] != other.steps[index] { return false }
        return true
    }

    init(restoring reader: inout SnapshotReader) throws(WireError) {
        let all = Int(try reader.readUInt8())
        guard all <= Self.capacity else { throw .tooLarge }
        for _ in 0..<all {
            let position: LayerPosition = try reader.read()
            let cost = try reader.read(in: 1...Self.highestCost)
            let value = Int(try reader.read(in: 1...1_000 as ClosedRange<UInt16>))
            // A ladder as it was made: each step dearer and better than the one before.
            guard count == 0 || (cost >= steps[count - 1].cost && value > steps[count - 1].value) else {
                throw .malformed
            }
            steps[count] = LayerStep(position: position, cost: cost, value: value)
            count += 1
        }
    }

    func write(to writer: inout SnapshotWriter) {
        writer.writeUInt8(UInt8(clamping: count))
        for index in 0..<count {
            writer.write(steps[index].position)
            writer.writeUInt64(steps[index].cost)
            writer.writeUInt16(UInt16(clamping: steps[index].value))
        }
    }
}
