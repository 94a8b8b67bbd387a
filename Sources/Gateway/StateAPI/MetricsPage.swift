/// Writes metric families in Prometheus' text exposition format.
struct MetricsPage {
    enum Kind: String { case counter, gauge, histogram }

    private(set) var text = ""
    private var family = ""

    /// Begins a family; the samples that follow are its.
    mutating func family(_ name: String, _ kind: Kind, _ help: String) {
        family = name
        text += "# HELP \(name) \(help)\n# TYPE \(name) \(kind.rawValue)\n"
    }

    mutating func sample(_ labels: KeyValuePairs<String, String>, _ value: some Numeric) {
        text += family
        if !labels.isEmpty {
            text += "{" + labels.map { "\($0.key)=\"\(Self.escape($0.value))\"" }.joined(separator: ",") + "}"
        }
        text += " \(value)\n"
    }

    mutating func counter(_ name: String, _ help: String, _ value: UInt64) {
        family(name, .counter, help)
        sample([:], value)
    }

    mutating func gauge(_ name: String, _ help: String, _ value: Int) {
        family(name, .gauge, help)
        sample([:], value)
    }

    /// A histogram's samples, cumulative as the format wants them.
    /// - Parameters:
    ///   - bounds: in the metric's unit.
    ///   - counts: one more than there are bounds.
    mutating func histogram(_ labels: [(String, String)] = [], bounds: [Double], counts: [UInt64], sum: Double) {
        let own = labels.map { "\($0.0)=\"\(Self.escape($0.1))\"," }.joined()
        var total: UInt64 = 0
        for (count, bound) in zip(counts, bounds.map { "\($0)" } + ["+Inf"]) {
            total &+= count
            text += "\(family)_bucket{\(own)le=\"\(bound)\"} \(total)\n"
        }
        let rest = own.isEmpty ? "" : "{\(own.dropLast())}"
        text += "\(family)_sum\(rest) \(sum)\n\(family)_count\(rest) \(total)\n"
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
