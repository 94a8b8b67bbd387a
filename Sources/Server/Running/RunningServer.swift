import Logging
import RoundhouseGateway
import RoundhouseMedia
import RoundhouseRooms

#if canImport(Glibc)
    import Glibc
#elseif canImport(Musl)
    import Musl
#endif

/// The server from its first client to its last: SIGHUP reads the configuration again; SIGTERM and SIGINT end it, the clients
/// first, then the rooms, then the media threads.
struct RunningServer {
    static let signals = [SIGHUP, SIGTERM, SIGINT]

    let plane: MediaPlane
    let gateway: GatewayServer
    let rooms: RoomRegistry

    /// Opens everything: clients can come as soon as `run` is called.
    /// - Throws: naming the setting that keeps it from starting, with nothing left open.
    static func start(
        _ settings: ServerSettings, _ logger: Logger = Logger(label: "roundhouse.server")
    ) async throws(StartError) -> RunningServer {
        let plane = try openMediaPlane(settings, logger)
        do throws(StartError) {
            let rooms = try openRooms(plane, settings)
            return RunningServer(plane: plane, gateway: try await startGateway(plane, rooms, settings), rooms: rooms)
        } catch {
            await plane.close()
            throw error
        }
    }

    /// Ends what was started and never run.
    func close() async {
        async let serving: Void = gateway.run()
        await gateway.close()
        await serving
        await plane.close()
    }

    /// - Throws: `StartError` when the gateway ended although nobody asked for it.
    func run(
        _ signals: ProcessSignals, _ running: RunningSettings, reload: ConfigurationReload
    ) async throws(StartError) {
        let isAskedFor = await withTaskGroup(of: Bool.self) { group in
            group.addTask {
                await gateway.run()
                return false
            }
            group.addTask {
                await Self.serve(until: signals, reload)
                return true
            }
            guard await group.next() == true else { return false }
            await stop(signals, running)
            return true
        }
        await plane.close()
        if !isAskedFor { throw StartError("the gateway stopped by itself") }
    }

    private static func serve(until signals: ProcessSignals, _ reload: ConfigurationReload) async {
        for await signal in signals.stream {
            guard signal == SIGHUP else { return }
            await reload()
        }
    }

    private func stop(_ signals: ProcessSignals, _ running: RunningSettings) async {
        let secondSignal = Task { await Self.exitAtNextSignal(signals) }
        defer { secondSignal.cancel() }
        await drain(running.current.drainSeconds)
        let watchdog = Task { await Self.endIfStuck() }
        defer { watchdog.cancel() }
        await gateway.stopAccepting()
        await rooms.close(.shutdown)
        await gateway.close()
    }

    /// Notifies clients, and gives them time to leave by themselves.
    private func drain(_ seconds: Int) async {
        gateway.drain()
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
        LogQueue.standardError.flush()
        StandardStream.error.write("\(ProgramName.current): did not stop in time: ended with connections open\n")
        _exit(1)
    }

    /// A second signal means not to wait for clients.
    private static func exitAtNextSignal(_ signals: ProcessSignals) async {
        for await signal in signals.stream where signal != SIGHUP {
            LogQueue.standardError.flush(seconds: 0.2)
            _exit(128 + signal)
        }
    }

    private static func openMediaPlane(
        _ settings: ServerSettings, _ logger: Logger
    ) throws(StartError) -> MediaPlane {
        do throws(MediaError) {
            let plane = try MediaPlane(configuration: settings.media) { change in
                logger.log(
                    level: change.isReachable ? .info : .warning,
                    "the machine's addresses changed: new transports get those of now",
                    metadata: [
                        "opened": "\(change.opened.joined(separator: ", "))",
                        "addresses": "\(change.announced.joined(separator: ", "))",
                    ])
            }
            try plane.start()
            return plane
        } catch {
            switch error.code {
            case .certificate: throw StartError("--dtls-certificate, --dtls-private-key: \(error.message)")
            case .system: throw StartError("--media-port \(settings.media.port), --media-listen: \(error.message)")
            case .invalidSetting, .streamConflict, .notFound, .overloaded:
                throw StartError("media options (--media-…, --announced-address, --shards): \(error.message)")
            }
        }
    }

    private static func openRooms(_ plane: MediaPlane, _ settings: ServerSettings) throws(StartError) -> RoomRegistry {
        do throws(RoomError) {
            return try RoomRegistry(media: plane.handle, configuration: settings.rooms)
        } catch {
            throw StartError("the rooms' codecs: \(error.message)")
        }
    }

    private static func startGateway(
        _ plane: MediaPlane, _ rooms: RoomRegistry, _ settings: ServerSettings
    ) async throws(StartError) -> GatewayServer {
        let (host, port) = (settings.gateway.host, settings.gateway.port)
        do throws(GatewayError) {
            return try await GatewayServer.start(
                settings.gateway, rooms: rooms, mediaCounters: { plane.counters() }, version: ServerVersion.current)
        } catch {
            switch error.code {
            case .portInUse: throw StartError("--port \(port): \(error.message); choose another with --port")
            case .permissionDenied: throw StartError("--port \(port): \(error.message)")
            case .addressUnavailable: throw StartError("--host \(host): \(error.message)")
            case .certificate: throw StartError("--tls-certificate, --tls-private-key: \(error.message)")
            case .turnPort: throw StartError("--turn-port: \(error.message)")
            case .system: throw StartError("--host \(host), --port \(port): \(error.message)")
            }
        }
    }
}
