import Testing

@testable import RoundhouseMedia

@Suite("SlotMap")
struct SlotMapTests {
    /// Counts how many of it are alive.
    private final class Ledger { var alive = 0 }

    private struct Item: ~Copyable {
        var value: Int
        let ledger: Ledger

        init(_ value: Int, _ ledger: Ledger) {
            self.value = value
            self.ledger = ledger
            ledger.alive += 1
        }

        deinit { ledger.alive -= 1 }
    }

    @Test func `an element is found by its slot until it is removed`() {
        let ledger = Ledger()
        var map = SlotMap<Item>()
        let first = map.insert(Item(1, ledger))
        let second = map.insert(Item(2, ledger))
        map[first].value += 10
        let values = [map[first].value, map[second].value]
        #expect(values == [11, 2])
        map.remove(first)
        let found = [map.contains(first), map.contains(second)]
        #expect(found == [false, true])
        let count = map.count
        #expect(count == 1)
        #expect(ledger.alive == 1)
    }

    @Test func `a slot never names what comes into its place`() {
        let ledger = Ledger()
        var map = SlotMap<Item>()
        var old: Set<Slot<Item>> = []
        for value in 0..<100 {
            let slot = map.insert(Item(value, ledger))
            #expect(!old.contains(slot))
            let stillNamed = old.count { map.contains($0) }
            #expect(stillNamed == 0)
            old.insert(slot)
            map.remove(slot)
        }
        #expect(Set(old.map(\.index)).count == 1)
        #expect(ledger.alive == 0)
    }

    @Test func `a use of a slot whose element is gone ends the process`() async {
        await #expect(processExitsWith: .failure) {
            var map = SlotMap<Int>()
            let slot = map.insert(1)
            map.remove(slot)
            _ = map.insert(2)
            map[slot] = 3
        }
    }

    @Test func `elements stay where they are, whatever comes and goes`() {
        var random = SplitMix(seed: 7)
        let ledger = Ledger()
        do {
            var map = SlotMap<Item>()
            var model: [Slot<Item>: Int] = [:]
            for step in 0..<20_000 {
                if model.isEmpty || Int.random(in: 0..<100, using: &random) < (step / 2000 % 2 == 0 ? 60 : 40) {
                    model[map.insert(Item(step, ledger))] = step
                } else if let slot = model.keys.randomElement(using: &random) {
                    map.remove(slot)
                    model[slot] = nil
                }
                let count = map.count
                #expect(count == model.count && ledger.alive == model.count)
            }
            for (slot, value) in model {
                let got = map[slot].value
                #expect(got == value)
            }
            let slots = map.slots
            #expect(Set(slots) == Set(model.keys))
            #expect(slots == slots.sorted { $0.index < $1.index })
        }
        #expect(ledger.alive == 0)
    }

    @Test func `a slot can be written down`() {
        let ledger = Ledger()
        var map = SlotMap<Item>()
        map.remove(map.insert(Item(1, ledger)))
        let slot = map.insert(Item(2, ledger))
        let value = map[Slot(rawValue: slot.rawValue)].value
        #expect(value == 2)
        let found = [0, 1, -1 - Int(slot.index), 1 << 20].map { map.slot(at: Int(slot.index) + $0) }
        #expect(found == [slot, nil, nil, nil])
    }
}
