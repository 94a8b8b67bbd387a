/// A metric with its samples, one for each set of labels.
struct MetricFamily: Sendable {
    enum Kind: String { case counter, gauge, histogram }

    struct Sample: Sendable {
        /// What its name has beyond the family's: a histogram's `_bucket`, `_sum` or `_count`.
        var suffix = ""
        var labels: [(name: String, value: String)]
        var value: Value
    }

    enum Value: Sendable, CustomStringConvertible {
        case whole(UInt64)
        case number(Double)

        var description: String {
            switch self {
            case .whole(let value): "\(value)"
            case .number(let value): "\(value)"
            }
        }
    }

    let name: String
    let kind: Kind
    let help: String
    var samples: [Sample] = []

    /// In Prometheus' text exposition format.
    var text: String {
        var text = "# HELP \(name) \(help)\n# TYPE \(name) \(kind.rawValue)\n"
        for sample in samples {
            text += name + sample.suffix
            if !sample.labels.isEmpty {
                text +=
                    "{" + sample.labels.map { "\($0.name)=\"\(Self.escape($0.value))\"" }.joined(separator: ",") + "}"
            }
            text += " \(sample.value)\n"
        }
        return text
    }

    private static func escape(_ label: String) -> String {
        var escaped = ""
        for character in label {
            switch character {
            case "\\": escaped += "\\\\"
            case "\"": escaped += "\\\""
            case "\n": escaped += "\\n"
            default: escaped.append(character)
            }
        }
        return escaped
    }
}
