import Synchronization
import Testing

@testable import RoundhouseMedia

#if canImport(Glibc)
    import Glibc
#endif

/// Everything here runs under the thread sanitizer; see the heading "Checked by" of each file in LockFree/.
///
/// The mutation check needs an optimized build, because the standard library's own accesses are watched only where they are
/// inlined: `swift test -c release --sanitize=thread -Xswiftc -enable-testing -Xswiftc -DWEAKEN_ORDERING --filter LockFree`.
@Suite("LockFree")
enum LockFreeTests {}

/// Runs the bodies on threads of their own and waits for all of them: the test's own pool could give several of them one
/// thread, and a lock-free structure would never meet a second one.
func runOnThreads(_ bodies: [@Sendable () -> Void]) {
    final class Box: Sendable {
        let body: @Sendable () -> Void
        init(_ body: @escaping @Sendable () -> Void) { self.body = body }
    }
    var threads: [pthread_t] = []
    for body in bodies {
        var thread = pthread_t()
        let argument = Unmanaged.passRetained(Box(body)).toOpaque()
        let result = pthread_create(
            &thread, nil,
            { argument in
                if let argument { Unmanaged<Box>.fromOpaque(argument).takeRetainedValue().body() }
                return nil
            }, argument)
        #expect(result == 0)
        threads.append(thread)
    }
    for thread in threads { pthread_join(thread, nil) }
}

extension LockFreeTests {
    @Suite("SPSCRing")
    struct SPSCRingTests {
        /// Fills a record from its number: length and bytes follow from it, so a reader can check both.
        private static func length(_ number: Int) -> Int { 8 + (number &* 7919) % 400 }

        // Bytes are touched through typed pointers: the thread sanitizer sees those accesses in debug builds too, while
        // `storeBytes` and `load` run inside the standard library, which it does not watch.
        private static func write(_ number: Int, to place: UnsafeMutableRawPointer, length: Int) {
            let bytes = place.bindMemory(to: UInt8.self, capacity: length)
            for offset in 0..<length { bytes[offset] = byte(number, offset) }
        }

        private static func isRecord(_ record: UnsafeRawBufferPointer, _ number: Int) -> Bool {
            guard record.count == length(number), let start = record.baseAddress else { return false }
            let bytes = start.bindMemory(to: UInt8.self, capacity: record.count)
            for offset in 0..<record.count where bytes[offset] != byte(number, offset) { return false }
            return true
        }

        private static func byte(_ number: Int, _ offset: Int) -> UInt8 {
            UInt8(truncatingIfNeeded: (number &* 31) ^ (number >> 8) ^ offset)
        }

        @Test(arguments: [4096, 8192, 65_536])
        func `records come out as they went in, over many wraps of the arena`(capacity: Int) {
            let ring = SPSCRing(capacity: capacity)
            var producer = SPSCRingProducer(ring)
            var consumer = SPSCRingConsumer(ring)
            var written = 0
            var read = 0
            var refused = 0
            var state: UInt64 = 1
            for _ in 0..<20_000 {
                state = state &* 6_364_136_223_846_793_005 &+ 1_442_695_040_888_963_407
                if (state >> 40) % 2 == 0 {
                    let length = Self.length(written)
                    if let place = producer.reserve(length) {
                        Self.write(written, to: place, length: length)
                        producer.commit()
                        producer.publish()
                        written += 1
                    } else {
                        refused += 1
                    }
                } else if let record = consumer.peek() {
                    let isRight = Self.isRecord(record, read)
                    #expect(isRight)
                    consumer.advance()
                    read += 1
                } else {
                    #expect(read == written)
                }
            }
            #expect(read > 5000)
            if capacity == 4096 { #expect(refused > 0) }
        }

        @Test func `a record is visible only once it is published, and a batch at once`() {
            let ring = SPSCRing(capacity: 4096)
            var producer = SPSCRingProducer(ring)
            var consumer = SPSCRingConsumer(ring)
            for number in 0..<3 {
                if let place = producer.reserve(Self.length(number)) {
                    Self.write(number, to: place, length: Self.length(number))
                    producer.commit()
                }
            }
            let before = consumer.peek() == nil
            let published = producer.publish()
            let again = producer.publish()
            #expect(before)
            #expect(published)
            #expect(!again)
            for number in 0..<3 {
                let record = consumer.peek()
                let isRight = record.map { Self.isRecord($0, number) }
                #expect(isRight == true)
                consumer.advance()
            }
            let after = consumer.peek() == nil
            #expect(after)
        }

        @Test func `a full ring refuses, and takes records again once some are consumed`() {
            let ring = SPSCRing(capacity: 4096)
            var producer = SPSCRingProducer(ring)
            var consumer = SPSCRingConsumer(ring)
            var count = 0
            while producer.reserve(248) != nil {
                producer.commit()
                count += 1
            }
            producer.publish()
            #expect(count == 16)
            for _ in 0..<2 {
                _ = consumer.peek()
                consumer.advance()
            }
            let again = producer.reserve(248) != nil
            #expect(again)
        }

        @Test func `a record may be committed shorter than reserved, and empty ones exist`() {
            let ring = SPSCRing(capacity: 4096)
            var producer = SPSCRingProducer(ring)
            var consumer = SPSCRingConsumer(ring)
            _ = producer.reserve(500)
            producer.commit(5)
            _ = producer.reserve(0)
            producer.commit()
            producer.publish()
            let first = consumer.peek()?.count
            consumer.advance()
            let second = consumer.peek()?.count
            #expect(first == 5)
            #expect(second == 0)
        }

        @Test func `an abandoned reservation leaves nothing behind`() {
            let ring = SPSCRing(capacity: 4096)
            var producer = SPSCRingProducer(ring)
            var consumer = SPSCRingConsumer(ring)
            _ = producer.reserve(100)
            let published = producer.publish()
            let empty = consumer.peek() == nil
            #expect(!published)
            #expect(empty)
        }

        @Test(arguments: [-1, 505, 4096, Int.max])
        func `impossible lengths are refused`(length: Int) {
            let ring = SPSCRing(capacity: 4096)
            var producer = SPSCRingProducer(ring)
            let refused = producer.reserve(length) == nil
            #expect(refused)
        }

        @Test func `records cross threads whole and in order`() {
            let ring = SPSCRing(capacity: 16_384)
            let total = 50_000
            let failures = StressCount()
            runOnThreads([
                {
                    var producer = SPSCRingProducer(ring)
                    var number = 0
                    while number < total {
                        let length = Self.length(number)
                        guard let place = producer.reserve(length) else {
                            producer.publish()
                            sched_yield()
                            continue
                        }
                        Self.write(number, to: place, length: length)
                        producer.commit()
                        number += 1
                        if number % 5 == 0 { producer.publish() }
                    }
                    producer.publish()
                },
                {
                    var consumer = SPSCRingConsumer(ring)
                    var number = 0
                    while number < total {
                        guard let record = consumer.peek() else {
                            sched_yield()
                            continue
                        }
                        if !Self.isRecord(record, number) { failures.add() }
                        consumer.advance()
                        number += 1
                    }
                    failures.finished(number)
                },
            ])
            #expect(failures.wrong.load(ordering: .relaxed) == 0)
            #expect(failures.received.load(ordering: .relaxed) == total)
        }
    }

    @Suite("MPSCQueue")
    struct MPSCQueueTests {
        @Test(arguments: [2, 8, 64])
        func `elements come out in order, over many turns of the slots`(capacity: Int) {
            let queue = MPSCQueue<Int>(capacity: capacity, reserve: 0)
            var model: [Int] = []
            var state: UInt64 = 3
            for number in 0..<10_000 {
                state = state &* 6_364_136_223_846_793_005 &+ 1_442_695_040_888_963_407
                if (state >> 40) % 2 == 0 {
                    let result = queue.push(number)
                    #expect((result == .full) == (model.count == capacity))
                    if result != .full { model.append(number) }
                } else {
                    #expect(queue.pop() == (model.isEmpty ? nil : model.removeFirst()))
                }
            }
        }

        @Test func `the last places are for urgent elements`() {
            let queue = MPSCQueue<Int>(capacity: 8, reserve: 3)
            let ordinary = (0..<8).map { queue.push($0) != .full }
            let urgent = (0..<4).map { queue.push(100 + $0, urgent: true) != .full }
            #expect(ordinary == [true, true, true, true, true, false, false, false])
            #expect(urgent == [true, true, true, false])
            var popped: [Int] = []
            while let element = queue.pop() { popped.append(element) }
            #expect(popped == [0, 1, 2, 3, 4, 100, 101, 102])
        }

        @Test func `only the first push after the consumer went to sleep asks for a wake`() {
            let queue = MPSCQueue<Int>(capacity: 8, reserve: 0)
            let awake = queue.push(1)
            let refused = queue.prepareToSleep()
            _ = queue.pop()
            let sleeps = queue.prepareToSleep()
            let first = queue.push(2)
            let second = queue.push(3)
            #expect(awake == .enqueued)
            #expect(!refused)
            #expect(sleeps)
            #expect(first == .enqueuedWakeConsumer)
            #expect(second == .enqueued)
            _ = queue.pop()
            _ = queue.pop()
            let again = queue.prepareToSleep()
            queue.woke()
            let afterWoke = queue.push(4)
            #expect(again)
            #expect(afterWoke == .enqueued)
        }

        @Test func `elements that nobody took are released with the queue`() {
            final class Token: Sendable {
                let alive: StressCount
                init(_ alive: StressCount) {
                    self.alive = alive
                    alive.add()
                }
                deinit { alive.subtract() }
            }
            let alive = StressCount()
            do {
                let queue = MPSCQueue<Token>(capacity: 8, reserve: 0)
                for _ in 0..<5 { _ = queue.push(Token(alive)) }
                _ = queue.pop()
                #expect(alive.wrong.load(ordering: .relaxed) == 4)
            }
            #expect(alive.wrong.load(ordering: .relaxed) == 0)
        }

        /// A payload that a torn or early read would show: four words behind a pointer, for the sanitizer's sake (see
        /// `SPSCRingTests.write`).
        // Sendable: made by one producer, read and freed by the consumer that popped it.
        private struct Payload: @unchecked Sendable {
            let words: UnsafeMutablePointer<Int>

            init(producer: Int, number: Int) {
                words = .allocate(capacity: 4)
                words[0] = producer
                words[1] = number
                words[2] = producer ^ number
                words[3] = number &* 31
            }

            var producer: Int { words[0] }
            var number: Int { words[1] }
            var isWhole: Bool { words[2] == words[0] ^ words[1] && words[3] == words[1] &* 31 }
            func free() { words.deallocate() }
        }

        @Test func `every element of every producer arrives once and in its order`() {
            let queue = MPSCQueue<Payload>(capacity: 64, reserve: 8)
            let producers = 4
            let each = 20_000
            let count = StressCount()
            var bodies: [@Sendable () -> Void] = (0..<producers).map { producer in
                {
                    var number = 0
                    while number < each {
                        let payload = Payload(producer: producer, number: number)
                        if queue.push(payload, urgent: number % 7 == 0) == .full {
                            payload.free()
                            sched_yield()
                        } else {
                            number += 1
                        }
                    }
                }
            }
            bodies.append {
                var next = [Int](repeating: 0, count: producers)
                var total = 0
                while total < producers * each {
                    guard let payload = queue.pop() else {
                        sched_yield()
                        continue
                    }
                    if !payload.isWhole || payload.number != next[payload.producer] { count.add() }
                    next[payload.producer] = payload.number + 1
                    payload.free()
                    total += 1
                }
                count.finished(total)
            }
            runOnThreads(bodies)
            #expect(count.wrong.load(ordering: .relaxed) == 0)
            #expect(count.received.load(ordering: .relaxed) == producers * each)
        }

        @Test func `an inbox of messages is bounded by places and by bytes`() {
            func delivery(_ count: Int) -> DataDelivery {
                DataDelivery(
                    producer: DataProducerKey(rawValue: 1),
                    message: DataMessage(binary: [UInt8](repeating: 1, count: count)))
            }
            let inbox = DataInbox()
            let (small, large) = (delivery(1), delivery(1 << 20))
            #expect((0..<17).map { _ in inbox.append(large) } == (0..<17).map { $0 < 16 })
            #expect(inbox.removeFirst()?.message.count == 1 << 20)
            #expect(inbox.append(large))
            while inbox.removeFirst() != nil {}
            #expect(inbox.isEmpty)
            #expect((0...DataInbox.capacity).count { _ in inbox.append(small) } == DataInbox.capacity)
            #expect(!inbox.isEmpty)
        }

        @Test func `messages of several threads arrive in an inbox once and in order`() {
            let inbox = DataInbox()
            let (threads, each) = (3, 5000)
            let count = StressCount()
            var bodies: [@Sendable () -> Void] = (0..<threads).map { thread in
                {
                    var number = 0
                    while number < each {
                        let message = DataMessage(text: "\(number)")
                        let key = DataProducerKey(rawValue: UInt64(thread))
                        if inbox.append(DataDelivery(producer: key, message: message)) {
                            number += 1
                        } else {
                            sched_yield()
                        }
                    }
                }
            }
            bodies.append {
                var next = [Int](repeating: 0, count: threads)
                var total = 0
                while total < threads * each {
                    guard let delivery = inbox.removeFirst() else {
                        sched_yield()
                        continue
                    }
                    let thread = Int(delivery.producer.rawValue)
                    if delivery.message.text != "\(next[thread])" { count.add() }
                    next[thread] += 1
                    total += 1
                }
                count.finished(total)
            }
            runOnThreads(bodies)
            #expect(count.wrong.load(ordering: .relaxed) == 0)
            #expect(count.received.load(ordering: .relaxed) == threads * each)
            #expect(inbox.isEmpty)
        }

        @Test func `no wake is lost`() {
            let queue = MPSCQueue<Int>(capacity: 64, reserve: 0)
            let semaphore = TestSemaphore()
            let total = 20_000
            let producers = 2
            let count = StressCount()
            var bodies: [@Sendable () -> Void] = (0..<producers).map { _ in
                {
                    var number = 0
                    // A consumer that gave up takes nothing more: without this, its failure would be a hang.
                    while number < total, count.wrong.load(ordering: .relaxed) == 0 {
                        switch queue.push(number) {
                        case .full: sched_yield()
                        case .enqueued: number += 1
                        case .enqueuedWakeConsumer:
                            number += 1
                            semaphore.post()
                        }
                    }
                }
            }
            bodies.append {
                var received = 0
                while received < producers * total {
                    if queue.pop() != nil {
                        received += 1
                    } else if queue.prepareToSleep() {
                        // A lost wake would end here: the wait is bounded, and its end is a failure.
                        if !semaphore.wait(seconds: 20) {
                            count.add()
                            break
                        }
                        queue.woke()
                    }
                }
                count.finished(received)
            }
            runOnThreads(bodies)
            #expect(count.wrong.load(ordering: .relaxed) == 0)
            #expect(count.received.load(ordering: .relaxed) == producers * total)
        }
    }

    @Suite("Counters")
    struct CountersTests {
        @Test func `each counter counts for itself`() {
            let counters = Counters()
            counters.add(.packetsReceived)
            counters.add(.bytesReceived, 1200)
            counters.add(.packetsReceived)
            #expect(counters.value(.packetsReceived) == 2)
            #expect(counters.value(.bytesReceived) == 1200)
            let all = ShardCounter.allCases.map(counters.value) + DropReason.allCases.map(counters.value)
            #expect(all.reduce(0, &+) == 1202)
        }

        @Test func `readers see every counter rise and end at the sum`() {
            let counters = Counters()
            let total = 200_000
            let count = StressCount()
            let reader: @Sendable () -> Void = {
                var last: UInt64 = 0
                while last < UInt64(total) {
                    let value = counters.value(.packetsForwarded)
                    if value < last { count.add() }
                    last = value
                }
            }
            runOnThreads([
                { for _ in 0..<total { counters.add(.packetsForwarded) } }, reader, reader,
            ])
            #expect(count.wrong.load(ordering: .relaxed) == 0)
            #expect(counters.value(.packetsForwarded) == UInt64(total))
        }
    }
}

/// What a stress test's threads tell the test.
private final class StressCount: Sendable {
    let wrong = Atomic<Int>(0)
    let received = Atomic<Int>(0)
    func add() { wrong.add(1, ordering: .relaxed) }
    func subtract() { wrong.subtract(1, ordering: .relaxed) }
    func finished(_ count: Int) { received.store(count, ordering: .relaxed) }
}

/// A POSIX semaphore, standing for the shard's eventfd.
// Sendable: semaphores are made to be shared between threads; `raw` is never moved.
private final class TestSemaphore: @unchecked Sendable {
    private let raw: UnsafeMutablePointer<sem_t>
    init() {
        raw = .allocate(capacity: 1)
        sem_init(raw, 0, 0)
    }
    deinit {
        sem_destroy(raw)
        raw.deallocate()
    }
    func post() { sem_post(raw) }
    func wait(seconds: Int) -> Bool {
        var until = timespec()
        clock_gettime(CLOCK_REALTIME, &until)
        until.tv_sec += seconds
        return sem_timedwait(raw, &until) == 0
    }
}
