import CLinuxNet
import Glibc
import Synchronization

/// Runs one shard on a thread of its own with the kernel's sockets and clock.
// Sendable: `io.wakeDescriptor`, `stopping` and the counters are the only things other threads touch; `thread` is written
// by `start` and read by `join`, which the plane calls in this order from one place.
final class ShardThread: @unchecked Sendable {
    let index: Int
    let io: EpollLoop
    let counters: Counters
    private let queue: MPSCQueue<MediaCommand>
    private let makeShard: @Sendable () -> Shard
    private let pins: Bool
    private let stopping = Atomic<Bool>(false)
    private var thread: pthread_t?

    /// A shard that always finds datagrams still looks at its commands and timers after this many batches.
    private static let batchesPerTick = 8
    private static let acceptsPerTick = 32

    init(
        index: Int, io: EpollLoop, counters: Counters, queue: MPSCQueue<MediaCommand>, pins: Bool,
        makeShard: @escaping @Sendable () -> Shard
    ) {
        self.index = index
        self.io = io
        self.counters = counters
        self.queue = queue
        self.pins = pins
        self.makeShard = makeShard
    }

    /// Starts the thread; `false` when the system has none to give.
    func start() -> Bool {
        var thread = pthread_t()
        // Safe: retained for the new thread, which takes the one reference over; given back here if there is no thread.
        let context = unsafe Unmanaged.passRetained(self)
        let result = unsafe pthread_create(
            &thread, nil,
            { context in
                // '!' okay: `start` passes itself.
                let shardThread = unsafe Unmanaged<ShardThread>.fromOpaque(context!).takeRetainedValue()
                shardThread.run()
                return nil
            }, unsafe context.toOpaque())
        guard result == 0 else {
            unsafe context.release()
            return false
        }
        self.thread = thread
        return true
    }

    /// Asks the thread to end; `join` waits for it.
    func stop() {
        stopping.store(true, ordering: .releasing)
        wake()
    }

    func join() {
        guard let thread else { return }
        pthread_join(thread, nil)
        self.thread = nil
        io.close()
    }

    /// Ends the thread's sleep; any thread may call it.
    func wake() { cln_wake(io.wakeDescriptor) }

    /// CPU time of the thread, from any thread, while it runs.
    var cpuSeconds: Double {
        guard let thread else { return 0 }
        var clock = clockid_t()
        var time = timespec()
        guard unsafe pthread_getcpuclockid(thread, &clock) == 0, unsafe clock_gettime(clock, &time) == 0 else {
            return 0
        }
        return Double(time.tv_sec) + Double(time.tv_nsec) / 1e9
    }

    private func run() {
        unsafe cln_name_thread("shard-\(index)")
        if pins { _ = cln_pin_thread(Int32(index)) }
        var shard = makeShard()
        var ready: UInt64 = 0
        while !stopping.load(ordering: .acquiring) {
            shard.beginTick(at: .current, wallClock: .current)
            shard.drainCommands()
            shard.drainRings()
            var mayHaveMore = false
            var left = ready
            while left != 0 {
                let socket = left.trailingZeroBitCount
                left &= left - 1
                mayHaveMore = receive(from: socket, into: &shard) || mayHaveMore
            }
            // One batch of each transport's socket; if more waits, the next `wait` says so.
            for socket in io.readyOwnSockets { receiveBatch(from: socket, into: &shard) }
            if io.tcp.hasReady { serveConnections(of: &shard) }
            shard.endTick()
            ready = mayHaveMore ? io.poll() : sleep(shard)
        }
        shard.beginTick(at: .current, wallClock: .current)
        shard.drainCommands(limit: .max)
        shard.closeAll()
    }

    /// Hands a socket's datagrams to the shard until none waits, or for so many batches; whether more may be waiting.
    ///
    /// A publisher's burst arrives while its first packet is being sealed: looking once more before anything is sent lets
    /// the whole burst leave together.
    private func receive(from socket: Int, into shard: inout Shard) -> Bool {
        for _ in 0..<Self.batchesPerTick {
            if receiveBatch(from: socket, into: &shard) == 0 { return false }
        }
        return true
    }

    /// - Returns: how many datagrams there were.
    @discardableResult
    private func receiveBatch(from socket: Int, into shard: inout Shard) -> Int {
        let count = io.receive(from: socket)
        for index in 0..<count {
            let (bytes, source) = unsafe io.datagram(index)
            unsafe shard.datagramReceived(bytes, from: source, on: socket)
        }
        return count
    }

    /// One piece of each connection that has something, and the clients that come: if more waits, the next `wait` says so.
    private func serveConnections(of shard: inout Shard) {
        for connection in io.tcp.ready {
            if connection.isReadable {
                switch io.tcp.receive(from: connection.number) {
                case .bytes(let count): unsafe shard.streamReceived(io.tcp.received(count), on: connection.number)
                case .ended: shard.connectionLost(connection.number)
                case .nothing: break
                }
            }
            if connection.isWritable {
                io.tcp.stopWaitingForRoom(connection.number)
                shard.connectionWritable(connection.number)
            }
        }
        for listener in io.tcp.readyListeners {
            for _ in 0..<Self.acceptsPerTick {
                guard accept(on: listener, into: &shard) else { break }
            }
        }
    }

    /// - Returns: whether there was a client.
    private func accept(on listener: Int, into shard: inout Shard) -> Bool {
        switch io.tcp.accept(on: listener) {
        case .nobody: return false
        case .refused: counters.add(.tcpConnectionsRefused)
        case .client(let descriptor, let remote, let local):
            guard let number = shard.connectionAccepted(from: remote, to: local) else {
                io.tcp.refuse(descriptor)
                return true
            }
            if !io.tcp.keep(descriptor, as: number) {
                io.tcp.refuse(descriptor)
                shard.connectionLost(number)
            }
        }
        return true
    }

    /// Blocks until a datagram, a command, a record from another shard or the next deadline.
    private func sleep(_ shard: borrowing Shard) -> UInt64 {
        let now = MediaInstant.current
        let timeout = shard.nextDeadline().map { max($0 - now, .zero) }
        guard queue.prepareToSleep() else { return io.poll() }
        defer { queue.woke() }
        if shard.links.hasIncoming { return io.poll() }
        counters.add(.wakeups)
        return io.wait(timeout: timeout)
    }
}

extension MediaInstant {
    /// The kernel's monotonic clock: for shells only.
    static var current: MediaInstant { MediaInstant(nanoseconds: cln_monotonic_nanoseconds()) }
}

extension NTPTimestamp {
    /// The kernel's wall clock: for shells only.
    static var current: NTPTimestamp { NTPTimestamp(unixNanoseconds: cln_realtime_nanoseconds()) }
}
