import Logging
import Synchronization

#if canImport(Glibc)
    import Glibc
#elseif canImport(Musl)
    import Musl
#endif

/// The certificate that TLS connections are opened with, read again when its files change.
final class TLSCertificates: Sendable {
    /// Identifies one version of a file; following links, by which some tools exchange certificates.
    private struct FileStamp: Equatable {
        var device: UInt
        var node: UInt
        var size: Int
        var seconds: Int
        var nanoseconds: Int

        init?(_ path: String) {
            var status = stat()
            guard stat(path, &status) == 0 else { return nil }
            device = UInt(status.st_dev)
            node = UInt(status.st_ino)
            size = Int(status.st_size)
            seconds = Int(status.st_mtim.tv_sec)
            nanoseconds = Int(status.st_mtim.tv_nsec)
        }
    }

    private struct State {
        var context: TLSContext?
        var settings: TLSSettings?
        /// The files as they were when they were last read, well or not.
        var stamps: [FileStamp?]
    }

    private let state: Mutex<State>

    /// - Parameter settings: `nil` for a server that speaks no TLS.
    init(_ settings: TLSSettings?) throws(GatewayError) {
        // Taken before reading: a change in between is then seen.
        let stamps = Self.stamps(settings)
        state = Mutex(State(context: try Self.read(settings), settings: settings, stamps: stamps))
    }

    /// For the next connection; `nil` if there is no TLS.
    var context: TLSContext? { state.withLock { $0.context } }

    /// Looks at the files until the task is cancelled.
    func watch(logger: Logger) async {
        while (try? await Task.sleep(for: .seconds(2))) != nil {
            do throws(GatewayError) {
                if try reloadIfChanged() { logger.notice("certificate reloaded") }
            } catch {
                logger.error("certificate not reloaded, the old one stays", metadata: ["error": "\(error)"])
            }
        }
    }

    /// From here on the certificate is this one.
    /// - Returns: whether the file was replaced or changed.
    /// - Throws: when it cannot be used; the one of before stays, and a change of the files is awaited.
    func reload(_ settings: TLSSettings?) throws(GatewayError) -> Bool {
        let isOther = state.withLock { state in
            defer { state.settings = settings }
            return state.settings != settings
        }
        return try read(settings, always: isOther)
    }

    private func reloadIfChanged() throws(GatewayError) -> Bool {
        try read(state.withLock { $0.settings }, always: false)
    }

    private func read(_ settings: TLSSettings?, always: Bool) throws(GatewayError) -> Bool {
        let stamps = Self.stamps(settings)
        let isNews = state.withLock { state in
            // Exchanged meanwhile for another, whose files these are not.
            guard state.settings == settings else { return false }
            defer { state.stamps = stamps }
            return always || state.stamps != stamps
        }
        guard isNews else { return false }
        let context = try Self.read(settings)
        return state.withLock { state in
            guard state.settings == settings else { return false }
            state.context = context
            return true
        }
    }

    private static func stamps(_ settings: TLSSettings?) -> [FileStamp?] {
        switch settings {
        case nil, .selfSigned: []
        case .files(let certificate, let privateKey): [FileStamp(certificate), FileStamp(privateKey)]
        }
    }

    private static func read(_ settings: TLSSettings?) throws(GatewayError) -> TLSContext? {
        guard let settings else { return nil }
        do throws(TLSProblem) {
            return switch settings {
            case .selfSigned: try TLSContext.selfSigned()
            case .files(let certificate, let privateKey):
                try TLSContext(certificate: certificate, privateKey: privateKey)
            }
        } catch {
            throw GatewayError(
                .certificate,
                settings == .selfSigned ? "a certificate cannot be made: \(error)" : error.description)
        }
    }
}
