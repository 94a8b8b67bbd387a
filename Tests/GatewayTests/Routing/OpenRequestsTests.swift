import Synchronization
import Testing

@testable import RoundhouseGateway

/// What the end of the server waits for.
@Suite(.timeLimit(.minutes(15))) struct OpenRequestsTests {
    private final class Shared<Value: Sendable>: Sendable {
        let value: Mutex<Value>
        init(_ value: Value) { self.value = Mutex(value) }
    }

    @Test func `closing waits for what was taken, and takes no more`() async throws {
        let requests = OpenRequests()
        let (began, begin) = AsyncStream<Void>.makeStream()
        let (gate, open) = AsyncStream<Void>.makeStream()
        async let answer = requests.counting {
            begin.finish()
            for await _ in gate {}
            return 1
        }
        for await _ in began {}
        let isClosed = Shared(false)
        await withTaskGroup { tasks in
            tasks.addTask {
                await requests.close()
                isClosed.value.withLock { $0 = true }
            }
            tasks.addTask {
                while await requests.counting({ 2 }) != nil { await Task.yield() }
                #expect(!isClosed.value.withLock { $0 })
                open.finish()
            }
        }
        #expect(await answer == 1)
        // There is nothing left to wait for.
        await requests.close()
    }

    @Test func `every connection is served once, and the end is the end of the last`() async throws {
        let served = Shared([Int: Int]())
        let (numbers, source) = AsyncStream<Int>.makeStream()
        for number in 0..<1000 { source.yield(number) }
        source.finish()
        await numbers.serveEach { number in
            for _ in 0..<number % 7 { await Task.yield() }
            served.value.withLock { $0[number, default: 0] += 1 }
        }
        #expect(served.value.withLock { $0 } == Dictionary(uniqueKeysWithValues: (0..<1000).map { ($0, 1) }))
    }
}
