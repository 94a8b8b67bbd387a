import NIOCore
import NIOEmbedded
import Synchronization
import Testing

@testable import RoundhouseGateway

/// Server-Sent Events without a connection.
@Suite struct EventStreamTests {
    private final class Endings: Sendable {
        private let state = Mutex<[EventStream.Ending]>([])
        var all: [EventStream.Ending] { state.withLock { $0 } }
        func add(_ ending: EventStream.Ending) { state.withLock { $0.append(ending) } }
    }

    /// A pump whose writes wait until the test lets them go.
    private final class Wire {
        let loop = EmbeddedEventLoop()
        let endings = Endings()
        let stream: EventStream
        var pump: EventStreamPump?
        var written: [String] = []
        var pending: [EventLoopPromise<Void>] = []
        var isCut: Bool?

        init(limit: Int = 1000) {
            let endings = endings
            stream = EventStream(limit: limit, loan: .testing) { endings.add($0) }
            pump = EventStreamPump(
                stream, on: loop, limits: GatewayLimits(), counters: GatewayCounters(),
                write: { [unowned self] bytes, promise in
                    written.append(String(buffer: bytes))
                    pending.append(promise)
                },
                end: { [unowned self] in isCut = $0 })
        }

        /// The client has read everything that was written.
        func reads() {
            let promises = pending
            pending = []
            for promise in promises { promise.succeed() }
            loop.run()
        }

        deinit {
            for promise in pending { promise.fail(ChannelError.ioOnClosedChannel) }
            loop.run()
        }
    }

    @Test func `an event has its identifier, its type and one data field a line`() {
        var buffer = ByteBuffer()
        ServerSentEvent(id: "7", name: "peer-joined", data: "a\nb\r\nc").write(into: &buffer)
        ServerSentEvent(data: "").write(into: &buffer)
        #expect(
            String(buffer: buffer)
                == "id: 7\nevent: peer-joined\ndata: a\ndata: b\ndata: \ndata: c\n\ndata: \n\n")
    }

    @Test func `no identifier or type can begin a field of its own`() {
        var buffer = ByteBuffer()
        ServerSentEvent(id: "7\ndata: x", name: "a\r\nb", data: "d").write(into: &buffer)
        #expect(String(buffer: buffer) == "id: 7\nevent: a\ndata: d\n\n")
    }

    @Test func `events go out in order, one chunk on its way at a time`() {
        let wire = Wire()
        wire.pump?.start()
        for number in 0..<3 { wire.stream.send(ServerSentEvent(data: "\(number)")) }
        wire.loop.run()
        #expect(wire.written == ["data: 0\n\ndata: 1\n\ndata: 2\n\n"])
        wire.stream.send(ServerSentEvent(data: "3"))
        wire.loop.run()
        #expect(wire.written.count == 1)
        wire.reads()
        #expect(wire.written.last == "data: 3\n\n")
    }

    @Test func `a stream that is finished ends after what was sent`() {
        let wire = Wire()
        wire.stream.send(ServerSentEvent(data: "last"))
        wire.stream.finish()
        #expect(!wire.stream.send(ServerSentEvent(data: "too late")))
        wire.pump?.start()
        #expect(wire.isCut == nil && wire.endings.all.isEmpty)
        wire.reads()
        #expect(wire.written == ["data: last\n\n"])
        #expect(wire.isCut == false && wire.endings.all == [.finished])
    }

    @Test func `a client for which too much waits is cut off`() {
        let wire = Wire(limit: 100)
        wire.pump?.start()
        wire.stream.send(ServerSentEvent(data: String(repeating: "a", count: 90)))
        wire.loop.run()
        // On its way: no longer counted as waiting.
        #expect(wire.stream.send(ServerSentEvent(data: String(repeating: "b", count: 90))))
        #expect(!wire.stream.send(ServerSentEvent(data: "c")))
        #expect(wire.endings.all == [.tooSlow])
        wire.reads()
        #expect(wire.isCut == true && wire.written.count == 1)
    }

    @Test func `a quiet stream is pinged, and one on which nothing moves is cut off`() {
        let wire = Wire()
        wire.pump?.start()
        wire.loop.advanceTime(by: .seconds(10))
        #expect(wire.written == [":\n\n"])
        wire.loop.advanceTime(by: .seconds(20))
        #expect(wire.isCut == nil)
        wire.loop.advanceTime(by: .seconds(10))
        #expect(wire.isCut == true && wire.endings.all == [.tooSlow])
    }

    @Test func `a client that leaves is reported once`() {
        let wire = Wire()
        wire.pump?.start()
        wire.pump?.connectionClosed()
        wire.pump?.connectionClosed()
        #expect(!wire.stream.send(ServerSentEvent(data: "x")))
        #expect(wire.endings.all == [.clientLeft] && wire.isCut == nil)
    }
}
