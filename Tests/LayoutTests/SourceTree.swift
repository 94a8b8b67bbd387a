import Foundation
import Testing

/// One file of the source tree, read once.
struct SourceFile: Sendable, CustomTestStringConvertible {
    /// Relative to the package's root, with `/` between folders.
    var path: String
    var lines: [String]

    init(path: String, text: String) {
        self.path = path
        lines = text.split(separator: "\n", omittingEmptySubsequences: false).map(String.init)
        if lines.last?.isEmpty == true { lines.removeLast() }
    }

    var testDescription: String { path }

    var folders: [String] { path.split(separator: "/").dropLast().map(String.init) }
    var name: String { path.split(separator: "/").last.map(String.init) ?? path }
    /// The folder under `Sources`, which is the module's name except for the system modules under `CShims`.
    var module: String? { folders.first == "Sources" && folders.count > 1 ? folders[1] : nil }

    func isUnder(_ folder: String) -> Bool { path.hasPrefix(folder + "/") }

    /// Lines with their numbers, without what follows `//`: a comment may name anything.
    var code: [(number: Int, text: String)] {
        lines.enumerated().map { index, line in (index + 1, Self.withoutComment(line)) }
    }

    private static func withoutComment(_ line: String) -> String {
        guard line.holds("//"), let start = line.range(of: "//") else { return line }
        // An address such as "https://…" is not a comment.
        if start.lowerBound > line.startIndex, line[line.index(before: start.lowerBound)] == ":" { return line }
        return String(line[..<start.lowerBound])
    }
}

enum SourceTree {
    static let root = URL(filePath: #filePath)
        .deletingLastPathComponent().deletingLastPathComponent().deletingLastPathComponent()

    /// Swift files of `Sources`.
    static let sources = files(under: "Sources", suffixes: [".swift"])
    /// Swift files of `Tests` and `Benchmarks`.
    static let tests = files(under: "Tests", suffixes: [".swift"]) + files(under: "Benchmarks", suffixes: [".swift"])
    /// The end-to-end tests and the benchmarks' scripts.
    static let scripts = files(under: "Tests", suffixes: [".py"]) + files(under: "Benchmarks", suffixes: [".py"])
    /// Everything under `Sources` a person writes, in any language.
    static let written = files(
        under: "Sources", suffixes: [".swift", ".c", ".h", ".js", ".css", ".html", ".modulemap"])

    static let documents =
        ["README.md", "CHANGELOG.md", "CONTRIBUTING.md"]
        + files(under: "Docs", suffixes: [".md"]).map(\.path)

    static func text(of path: String) -> String? {
        try? String(contentsOf: root.appending(path: path), encoding: .utf8)
    }

    static func files(under folder: String, suffixes: [String]) -> [SourceFile] {
        let base = root.appending(path: folder).resolvingSymlinksInPath()
        guard let walk = FileManager.default.enumerator(atPath: base.path) else { return [] }
        var found: [SourceFile] = []
        for case let relative as String in walk where suffixes.contains(where: relative.hasSuffix) {
            let path = folder + "/" + relative
            if path.split(separator: "/").contains(where: { $0.hasPrefix(".") }) { continue }
            if let text = text(of: path) { found.append(SourceFile(path: path, text: text)) }
        }
        return found.sorted { $0.path < $1.path }
    }
}

/// A rule that a file breaks, worded for the person who has to mend it.
struct Violation: Equatable, CustomStringConvertible {
    var path: String
    var line: Int?
    var message: String

    var description: String { line.map { "\(path):\($0): \(message)" } ?? "\(path): \(message)" }
}

extension String {
    /// Many times faster than `contains` in a debug build, and asked of every line for every word.
    func holds(_ text: String) -> Bool { withCString { strstr($0, text) != nil } }
}
