import FoundationEssentials
import Logging
import RoundhouseRooms

/// How a line of the log is written.
enum LogFormat: String, CaseIterable {
    case text, json

    /// A line, with its line feed. What clients say makes neither lines nor fields of its own.
    func line(_ event: LogEvent, label: String, metadata: Logger.Metadata, now: Date) -> String {
        let time = now.formatted(.iso8601)
        switch self {
        case .text:
            let fields = metadata.sorted { $0.key < $1.key }.map { " \($0.key)=\(Self.quoted($0.value))" }.joined()
            let message = event.message.description
            let words = message.unicodeScalars.contains(where: Self.isControl) ? Self.escaped(message) : message
            return "\(time) \(event.level) \(label):\(fields) [\(event.source)] \(words)\n"
        case .json:
            let line = JSONValue.object([
                "time": .string(time), "level": .string(event.level.rawValue), "logger": .string(label),
                "source": .string(event.source), "message": .string(event.message.description),
                "fields": .object(metadata.mapValues(Self.json)),
            ])
            return String(decoding: line.serialized, as: UTF8.self) + "\n"
        }
    }

    /// A value that could be taken for more than one field, or for a line, is quoted and escaped.
    private static func quoted(_ value: Logger.Metadata.Value) -> String {
        switch value {
        case .string, .stringConvertible:
            let text = "\(value)"
            let isPlain = !text.unicodeScalars.contains { $0 == "=" || $0 == "\"" || isControl($0) }
            return isPlain ? text : escaped(text)
        case .array(let values): return "[" + values.map(quoted).joined(separator: ", ") + "]"
        case .dictionary(let values):
            let fields = values.sorted { $0.key < $1.key }.map { "\(escaped($0.key)): \(quoted($0.value))" }
            return "[" + fields.joined(separator: ", ") + "]"
        }
    }

    /// In quotes, with an escape for everything that ends a line or reorders what a terminal shows: Swift's own leaves
    /// U+2028 and U+202E as they are.
    private static func escaped(_ text: String) -> String {
        var escaped = ""
        for scalar in text.debugDescription.unicodeScalars {
            if isControl(scalar) {
                escaped += "\\u{\(String(scalar.value, radix: 16, uppercase: true))}"
            } else {
                escaped.unicodeScalars.append(scalar)
            }
        }
        return escaped
    }

    private static func json(_ value: Logger.Metadata.Value) -> JSONValue {
        switch value {
        case .string, .stringConvertible: .string("\(value)")
        case .array(let values): .array(values.map(json))
        case .dictionary(let values): .object(values.mapValues(json))
        }
    }

    private static func isControl(_ scalar: Unicode.Scalar) -> Bool {
        switch scalar.properties.generalCategory {
        case .control, .lineSeparator, .paragraphSeparator, .format: true
        default: false
        }
    }
}
