import Logging

/// Writes to standard error what the level that holds now lets through, a line each: what clients say may make neither lines
/// nor fields of its own.
struct RunningLogHandler: LogHandler {
    private var stream: StreamLogHandler
    private let settings: RunningSettings
    /// A logger's own, if it was given one.
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
        set { stream.metadata = newValue.mapValues(Self.quoted) }
    }

    subscript(metadataKey key: String) -> Logger.Metadata.Value? {
        get { stream[metadataKey: key] }
        set { stream[metadataKey: key] = newValue.map(Self.quoted) }
    }

    func log(event: LogEvent) {
        var event = event
        let message = event.message.description
        if message.unicodeScalars.contains(where: Self.isControl) { event.message = "\(message.debugDescription)" }
        event.metadata = event.metadata?.mapValues(Self.quoted)
        stream.log(event: event)
    }

    /// A value that could be taken for more than one field, or for a line, is quoted and escaped.
    private static func quoted(_ value: Logger.Metadata.Value) -> Logger.Metadata.Value {
        switch value {
        case .string, .stringConvertible:
            let text = "\(value)"
            let isPlain = !text.unicodeScalars.contains { $0 == "=" || $0 == "\"" || isControl($0) }
            return isPlain ? value : .string(text.debugDescription)
        case .array(let values): return .array(values.map(quoted))
        case .dictionary(let values): return .dictionary(values.mapValues(quoted))
        }
    }

    private static func isControl(_ scalar: Unicode.Scalar) -> Bool {
        switch scalar.properties.generalCategory {
        case .control, .lineSeparator, .paragraphSeparator, .format: true
        default: false
        }
    }
}
