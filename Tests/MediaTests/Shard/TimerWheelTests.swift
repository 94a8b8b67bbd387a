import Testing

@testable import RoundhouseMedia

@Suite("TimerWheel")
struct TimerWheelTests {
    private func at(_ microseconds: UInt64) -> MediaInstant { MediaInstant(nanoseconds: microseconds * 1000) }

    private func expired(_ wheel: inout TimerWheel, at now: MediaInstant) -> [Int] {
        var slots: [Int] = []
        while let slot = wheel.popExpired(at: now) { slots.append(slot) }
        return slots.sorted()
    }

    @Test func `a deadline is never early and expires once`() {
        var wheel = TimerWheel(now: at(0))
        wheel.schedule(3, at: at(1_500))
        #expect(wheel.nextDeadline() == at(1_500))
        #expect(expired(&wheel, at: at(1_499)) == [])
        #expect(expired(&wheel, at: at(1_500)) == [3])
        #expect(expired(&wheel, at: at(9_000)) == [])
        #expect(wheel.nextDeadline() == nil)
    }

    @Test func `a deadline in the past expires at once`() {
        var wheel = TimerWheel(now: at(1_000_000))
        wheel.schedule(0, at: at(5))
        #expect(expired(&wheel, at: at(1_000_000)) == [0])
    }

    @Test func `deadlines beyond the wheel's turn wait for their time`() {
        var wheel = TimerWheel(now: at(0))
        wheel.schedule(1, at: at(30_000_000))
        wheel.schedule(2, at: at(4_096_000))
        var now: UInt64 = 0
        var wakes = 0
        while let next = wheel.nextDeadline(), wakes < 100 {
            wakes += 1
            #expect(next.nanoseconds / 1000 >= now)
            now = next.nanoseconds / 1000
            for slot in expired(&wheel, at: next) { #expect(now >= (slot == 1 ? 30_000_000 : 4_096_000)) }
        }
        #expect(wheel.nextDeadline() == nil)
        #expect(now == 30_000_000)
        #expect(wakes <= 12)
    }

    @Test func `thousands of deadlines beyond the wheel's turn end few sleeps until they are near`() {
        var wheel = TimerWheel(now: at(0))
        // As clients connect one after the other: each has half a minute from then.
        for slot in 0..<8000 {
            let now = at(UInt64(slot) * 1_100)
            _ = expired(&wheel, at: now)
            wheel.schedule(slot, at: now + .seconds(30))
        }
        let start = at(8000 * 1_100)
        var wakes = 0
        var now = start
        while let next = wheel.nextDeadline(), next < at(30_000_000) {
            now = max(now, next)
            #expect(expired(&wheel, at: now).isEmpty)
            wakes += 1
        }
        let seconds = (at(30_000_000) - start).seconds
        #expect(Double(wakes) < 6 * seconds, "\(wakes) sleeps ended in \(seconds) s")
    }

    @Test func `moving and cancelling leave one deadline or none`() {
        var wheel = TimerWheel(now: at(0))
        wheel.schedule(1, at: at(1_000))
        wheel.schedule(1, at: at(7_000))
        wheel.schedule(2, at: at(2_000))
        wheel.cancel(2)
        wheel.cancel(77)
        #expect(wheel.deadline(of: 1) == at(7_000))
        #expect(wheel.deadline(of: 2) == nil)
        #expect(expired(&wheel, at: at(6_999)) == [])
        #expect(expired(&wheel, at: at(7_000)) == [1])
    }

    @Test(arguments: 1...12) func `the wheel agrees with a sorted list`(seed: Int) {
        var random = SplitMix(seed: UInt64(seed))
        var now: UInt64 = random.next() % 10_000_000
        var wheel = TimerWheel(now: at(now))
        var model: [Int: UInt64] = [:]
        for _ in 0..<4000 {
            switch random.next() % 10 {
            case 0..<5:
                let slot = Int(random.next() % 40)
                // Short, long beyond a turn, equal, and overdue.
                let horizon: UInt64 = [3_000, 200_000, 12_000_000, 1][Int(random.next() % 4)]
                let deadline = now + random.next() % horizon
                wheel.schedule(slot, at: at(deadline))
                model[slot] = deadline
            case 5:
                let slot = Int(random.next() % 40)
                wheel.cancel(slot)
                model[slot] = nil
            default:
                now += random.next() % [500, 5_000, 300_000, 9_000_000][Int(random.next() % 4)]
                let due = model.filter { $0.value <= now }.keys.sorted()
                #expect(expired(&wheel, at: at(now)) == due)
                for slot in due { model[slot] = nil }
            }
            if let first = model.values.min() {
                let next = wheel.nextDeadline()
                // It may wake early to sort again, never late.
                #expect(next != nil)
                if let next { #expect(next <= at(max(first, now))) }
            } else {
                #expect(wheel.nextDeadline() == nil)
            }
        }
    }

    @Test(arguments: 1...4) func `sleeping until the next deadline always makes progress`(seed: Int) {
        var random = SplitMix(seed: UInt64(seed))
        var wheel = TimerWheel(now: at(0))
        var left = 200
        for slot in 0..<left { wheel.schedule(slot, at: at(random.next() % 20_000_000)) }
        var wakes = 0
        while left > 0, let next = wheel.nextDeadline() {
            left -= expired(&wheel, at: next).count
            wakes += 1
            if wakes > 2000 { break }
        }
        #expect(left == 0)
        #expect(wakes < 500)
    }
}
