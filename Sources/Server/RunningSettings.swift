import Logging
import Synchronization

/// The settings that hold now.
final class RunningSettings: Sendable {
    private let state: Mutex<ServerSettings>

    init(_ settings: ServerSettings) { state = Mutex(settings) }

    var current: ServerSettings {
        get { state.withLock { $0 } }
        set { state.withLock { $0 = newValue } }
    }

    var logLevel: Logger.Level { state.withLock { $0.logLevel } }
}

/// Writes to standard error what the level that holds now lets through.
struct RunningLogHandler: LogHandler {
    private var stream: StreamLogHandler
    private let settings: RunningSettings
    /// A logger's own, where it was given one.
    private var level: Logger.Level?

    init(label: String, settings: RunningSettings) {
        stream = .standardError(label: label)
        self.settings = settings
    }

    var logLevel: Logger.Level {
        get { level ?? settings.logLevel }
        set { level = newValue }
    }

    var metadata: Logger.Metadata {
        get { stream.metadata }
        set { stream.metadata = newValue }
    }

    subscript(metadataKey key: String) -> Logger.Metadata.Value? {
        get { stream[metadataKey: key] }
        set { stream[metadataKey: key] = newValue }
    }

    func log(event: LogEvent) { stream.log(event: event) }
}
