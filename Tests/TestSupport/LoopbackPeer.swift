// Reads the media plane's internals, which a release build shows only with -enable-testing -DTESTING.
#if DEBUG || TESTING
    import CLinuxNet
    import Glibc
    import Synchronization

    @testable import RoundhouseMedia

    /// A `VirtualPeer` with a socket and the kernel's clock: for tests and benchmarks of a running media plane.
    ///
    /// Either call `step` from one thread, or `start` a thread that does; reach the peer through `perform` meanwhile.
    // Sendable: `peer` is touched under `lock` only; `io` by whoever steps, and closed after that ended.
    // Safe: pieces and messages are built from the datagrams' own arrays, which live until `send` has returned.
    final class LoopbackPeer: @unchecked Sendable {
        private let peer: VirtualPeer
        private let io: EpollLoop
        private let lock = SystemLock()
        private let stopping = Atomic<Bool>(false)
        private var thread: pthread_t?

        /// - Parameter address: where to bind; the kernel chooses the port.
        init(
            address: IPAddressPort = IPAddressPort(ipv4: 0x7F00_0001, port: 0), seed: UInt64,
            dtlsRole: DTLSRole = .client,
            bufferBytes: Int = 1 << 20
        ) throws {
            io = try EpollLoop(addresses: [address], bufferBytes: bufferBytes)
            peer = try VirtualPeer(address: io.localAddresses[0], seed: seed, now: .current, dtlsRole: dtlsRole)
        }

        /// Uses the peer, alone.
        func perform<Result>(_ body: (VirtualPeer) throws -> Result) rethrows -> Result {
            try lock.withLock {
                peer.now = .current
                return try body(peer)
            }
        }

        /// Waits for datagrams or the peer's next deadline, at most `timeout`; takes and sends what there is.
        func step(timeout: MediaDuration) {
            let wait = lock.withLock { () -> MediaDuration in
                guard let deadline = peer.nextDeadline else { return timeout }
                return max(min(deadline - .current, timeout), .zero)
            }
            let ready = io.wait(timeout: wait)
            lock.withLock {
                while ready != 0 {
                    let count = io.receive(from: 0)
                    for index in 0..<count {
                        guard let bytes = io.datagram(index).bytes else { continue }
                        peer.datagramReceived(bytes, on: io.localAddresses[0], at: .current, wallClock: .current)
                    }
                    if count < Int(CLN_RECEIVE_BATCH) { break }
                }
                peer.advance(to: .current, wallClock: .current)
                flush()
            }
        }

        /// Runs `step` on a thread of its own until `stop`.
        func start() {
            var thread = pthread_t()
            let context = Unmanaged.passRetained(self)
            let result = pthread_create(
                &thread, nil,
                { context in
                    guard let context else { return nil }
                    let peer = Unmanaged<LoopbackPeer>.fromOpaque(context).takeRetainedValue()
                    while !peer.stopping.load(ordering: .acquiring) { peer.step(timeout: .milliseconds(20)) }
                    return nil
                }, context.toOpaque())
            guard result == 0 else { return context.release() }
            self.thread = thread
        }

        /// Ends the thread and closes the socket.
        func stop() {
            stopping.store(true, ordering: .releasing)
            if let thread { pthread_join(thread, nil) }
            thread = nil
            io.close()
        }

        private func flush() {
            for datagram in peer.takeOutbox() {
                datagram.bytes.withUnsafeBytes { bytes in
                    withUnsafePointer(to: bytes) { piece in
                        var message = OutgoingMessage(
                            destination: datagram.to, datagrams: UnsafeBufferPointer(start: piece, count: 1),
                            segmentSize: bytes.count)
                        _ = io.send(&message, count: 1, from: 0)
                    }
                }
            }
        }
    }

    /// A POSIX mutex: the thread sanitizer sees it, which it does not of `Synchronization.Mutex` under contention.
    // Sendable: a mutex is made to be shared; `raw` is never moved.
    // Safe: `raw` is initialized from `init` to `deinit`.
    private final class SystemLock: @unchecked Sendable {
        private let raw = UnsafeMutablePointer<pthread_mutex_t>.allocate(capacity: 1)

        init() { pthread_mutex_init(raw, nil) }

        deinit {
            pthread_mutex_destroy(raw)
            raw.deallocate()
        }

        func withLock<Result>(_ body: () throws -> Result) rethrows -> Result {
            pthread_mutex_lock(raw)
            defer { pthread_mutex_unlock(raw) }
            return try body()
        }
    }
#endif
