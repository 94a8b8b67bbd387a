import RoundhouseGateway
import RoundhouseRooms
import ServiceLifecycle
import UnixSignals

#if canImport(Glibc)
    import Glibc
#elseif canImport(Musl)
    import Musl
#endif

/// The gateway and the rooms behind it as a service: no new client, then the old ones are notified, then it ends.
struct GatewayService: Service {
    let gateway: GatewayServer
    let rooms: RoomRegistry
    let running: RunningSettings
    /// Printed once clients can come.
    let welcome: String

    func run() async throws {
        StandardStream.output.write(welcome)
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
        StandardStream.error.write("gateway: did not stop in time: ended with connections open\n")
        _exit(1)
    }

    /// A second signal means not to wait for clients.
    private static func exitAtNextSignal() async {
        for await signal in await UnixSignalsSequence(trapping: .sigterm, .sigint) {
            _exit(128 + (signal == .sigint ? SIGINT : SIGTERM))
        }
    }
}
