import Gateway
import Media
import Rooms
import ServiceLifecycle
import UnixSignals

#if canImport(Glibc)
    import Glibc
#elseif canImport(Musl)
    import Musl
#endif

/// The running media threads as a service: they end last.
struct MediaService: Service {
    let plane: MediaPlane

    func run() async throws {
        try? await gracefulShutdown()
        await plane.close()
    }
}

/// The gateway and the rooms behind it as a service: no new client, then the old ones are notified, then it ends.
struct GatewayService: Service {
    let gateway: GatewayServer
    let rooms: RoomRegistry
    let running: RunningSettings
    /// Printed once clients can come.
    let welcome: String

    func run() async throws {
        StandardOutput.write(welcome)
        async let serving: Void = gateway.run()
        try? await gracefulShutdown()
        let secondSignal = Task { await Self.exitAtNextSignal() }
        defer { secondSignal.cancel() }
        await drain()
        let watchdog = Task { await Self.endIfStuck() }
        defer { watchdog.cancel() }
        await gateway.stopAccepting()
        await rooms.close(.shutdown)
        await gateway.close()
        await serving
    }

    /// Notifies clients, and gives them time to leave by themselves.
    private func drain() async {
        gateway.drain()
        let seconds = running.current.drainSeconds
        guard seconds > 0, rooms.totals().counts.peers > 0 else { return }
        await rooms.drain(seconds: seconds)
        let deadline = ContinuousClock.now + .seconds(seconds)
        while rooms.totals().counts.peers > 0, ContinuousClock.now < deadline {
            guard (try? await Task.sleep(for: .milliseconds(50))) != nil else { return }
        }
    }

    /// A client that does not end its connection must not keep the process.
    private static func endIfStuck() async {
        guard (try? await Task.sleep(for: .seconds(10))) != nil else { return }
        StandardError.write("gateway: did not stop in time: ended with connections open\n")
        _exit(1)
    }

    /// A second signal means not to wait for clients.
    private static func exitAtNextSignal() async {
        for await signal in await UnixSignalsSequence(trapping: .sigterm, .sigint) {
            _exit(128 + (signal == .sigint ? SIGINT : SIGTERM))
        }
    }
}

/// Written unbuffered, so that what waits for the line sees it at once even through a pipe.
enum StandardOutput {
    static func write(_ text: String) { writeAll(text, to: STDOUT_FILENO) }
}

enum StandardError {
    static func write(_ text: String) { writeAll(text, to: STDERR_FILENO) }
}

private func writeAll(_ text: String, to descriptor: CInt) {
    var bytes = Array(text.utf8)[...]
    while !bytes.isEmpty {
        // Safe: the pointer is used within the call, with the buffer's own count.
        let count = bytes.withUnsafeBytes { write(descriptor, $0.baseAddress, $0.count) }
        if count > 0 { bytes = bytes.dropFirst(count) } else if errno != EINTR { return }
    }
}

/// Every client takes a descriptor, and many systems start a process with 1024 of a million it may have.
enum DescriptorLimit {
    /// Raises the limit as far as it goes.
    /// - Throws: if it is too low for the server's own threads: swift-nio would end the process by a trap.
    static func raise(mediaThreads: Int?) throws(StartError) {
        var limit = rlimit()
        guard getrlimit(__rlimit_resource_t(RLIMIT_NOFILE.rawValue), &limit) == 0 else { return }
        let cores = max(sysconf(CInt(_SC_NPROCESSORS_ONLN)), 1)
        // A network thread has three descriptors, a media thread a socket for each address and three more.
        let needed = rlim_t(32 + 4 * cores + 4 * (mediaThreads ?? cores))
        guard limit.rlim_max >= needed else {
            throw StartError(
                "\(limit.rlim_max) open files are too few, the server needs \(needed) and one for each client: "
                    + "raise the limit (ulimit -n)")
        }
        limit.rlim_cur = limit.rlim_max
        // Refused in some sandboxes: the server then runs with what it has.
        _ = setrlimit(__rlimit_resource_t(RLIMIT_NOFILE.rawValue), &limit)
    }
}
