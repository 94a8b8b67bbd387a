import Foundation

/// What the numbers were taken on.
struct Machine: Codable {
    var processor: String
    var cores: Int
    var kernel: String
    /// Runnable tasks over the last minute: other work on the machine shows here.
    var loadAverage: Double
    var date: String
    var commit: String

    static func current() -> Machine {
        func file(_ path: String) -> String { (try? String(contentsOfFile: path, encoding: .utf8)) ?? "" }
        let model = file("/proc/cpuinfo").split(separator: "\n").first { $0.hasPrefix("model name") }
        let git = try? ChildProcess("git", ["describe", "--always", "--dirty", "--abbrev=12"], cores: "")
        return Machine(
            processor: model?.split(separator: ":").last.map { $0.trimmingCharacters(in: .whitespaces) } ?? "",
            cores: ProcessInfo.processInfo.processorCount,
            kernel: file("/proc/sys/kernel/osrelease").trimmingCharacters(in: .whitespacesAndNewlines),
            loadAverage: Double(file("/proc/loadavg").split(separator: " ").first ?? "") ?? 0,
            date: Date.now.ISO8601Format(), commit: (try? git?.line(startingWith: "")) ?? "unknown")
    }

    var summary: String {
        "\(processor), \(cores) cores, Linux \(kernel), load average \(loadAverage), commit \(commit), \(date)"
    }
}

/// One result as JSON.
struct Report<Result: Encodable>: Encodable {
    var machine: Machine
    var command: String
    var load: Load
    var result: Result

    func write(to path: String) throws {
        let encoder = JSONEncoder()
        encoder.outputFormatting = [.prettyPrinted, .sortedKeys, .withoutEscapingSlashes]
        let file = URL(fileURLWithPath: path)
        try FileManager.default.createDirectory(
            at: file.deletingLastPathComponent(), withIntermediateDirectories: true)
        try encoder.encode(self).write(to: file)
    }
}

/// Columns of text, each as wide as its widest cell.
struct Table {
    var rows: [[String]]

    func print() {
        let widths = rows[0].indices.map { column in rows.map { $0[column].count }.max() ?? 0 }
        for row in rows {
            let cells = zip(row, widths).map { $0.padding(toLength: $1, withPad: " ", startingAt: 0) }
            Swift.print("  " + cells.joined(separator: "  "))
        }
    }
}
