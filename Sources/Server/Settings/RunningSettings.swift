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
    var logFormat: LogFormat { state.withLock { $0.logFormat } }
}
