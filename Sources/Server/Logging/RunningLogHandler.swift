import FoundationEssentials
import Logging

/// Gives a queue what the level that holds now lets through, a line each: nobody who logs waits for whoever reads the log.
struct RunningLogHandler: LogHandler {
    private let label: String
    private let settings: RunningSettings
    private let queue: LogQueue
    /// A logger's own, if it was given one.
    private var level: Logger.Level?
    var metadata = Logger.Metadata()

    init(label: String, settings: RunningSettings, queue: LogQueue = .standardError) {
        self.label = label
        self.settings = settings
        self.queue = queue
    }

    var logLevel: Logger.Level {
        get { level ?? settings.logLevel }
        set { level = newValue }
    }

    subscript(metadataKey key: String) -> Logger.Metadata.Value? {
        get { metadata[key] }
        set { metadata[key] = newValue }
    }

    func log(event: LogEvent) {
        var fields = metadata.merging(event.metadata ?? [:]) { $1 }
        if let error = event.error { fields["error.message"] = "\(error)" }
        queue.append(settings.logFormat.line(event, label: label, metadata: fields, now: Date()))
    }
}
