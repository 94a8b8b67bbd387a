import RoundhouseMedia
import ServiceLifecycle

/// The running media threads as a service: they end last.
struct MediaService: Service {
    let plane: MediaPlane

    func run() async throws {
        try? await gracefulShutdown()
        await plane.close()
    }
}
