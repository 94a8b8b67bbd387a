/// What tests must not do, and where they lie.
enum TestRules {
    private static var quoted: Regex<Substring> { /"(?:\\.|[^"\\])*"/ }

    // MARK: Early ends

    /// Places where a test function returns without having failed: what follows is not checked, and nobody notices.
    static func violations(in file: SourceFile) -> [Violation] {
        guard file.isUnder("Tests") else { return [] }
        var found: [Violation] = []
        /// How far the test function that is being read is indented.
        var indent: Int?
        var previous = ""
        for (number, text) in file.code {
            // What stands in quotes is no code.
            let trimmed = text.replacing(quoted) { _ in "\"\"" }.trimmed
            let depth = text.prefix { $0 == " " }.count
            if trimmed.hasPrefix("@Test") { indent = depth }
            if let own = indent {
                let isSilent = trimmed == "return" && previous.hasSuffix("else {")
                if isSilent || trimmed.contains("{ return }") {
                    found.append(
                        Violation(
                            path: file.path, line: number,
                            message:
                                "a test that ends here passes: use #require, or say what is wrong with Issue.record"))
                }
                if depth == own, trimmed.hasPrefix("}") || isWhole(trimmed) { indent = nil }
            }
            previous = trimmed
        }
        return found
    }

    /// A function on one line.
    private static func isWhole(_ line: String) -> Bool { line.contains("func ") && line.hasSuffix("}") }

    // MARK: Names

    /// Tests whose sentence is not the function's own name: with two places, one of them is poor.
    static func named(in file: SourceFile) -> [Violation] {
        guard file.isUnder("Tests") else { return [] }
        var found: [Violation] = []
        /// The attribute, while its function has not come yet.
        var attribute: (line: Int, text: String)?
        for (number, text) in file.code {
            let trimmed = text.trimmed
            if trimmed.hasPrefix("@Test") { attribute = (number, trimmed) }
            guard let (line, opening) = attribute else { continue }
            if trimmed.hasPrefix("@Test(\"") || (opening == "@Test(" && number == line + 1 && trimmed.hasPrefix("\"")) {
                found.append(
                    Violation(path: file.path, line: line, message: "the sentence is the test's name: @Test func `…`()")
                )
                attribute = nil
            } else if let name = text.replacing(quoted, with: { _ in "" }).firstMatch(of: /\bfunc +(`?)/) {
                if name.1.isEmpty {
                    found.append(
                        Violation(path: file.path, line: number, message: "a test's name is a sentence: func `…`()"))
                }
                attribute = nil
            }
        }
        return found
    }

    // MARK: Folders

    /// Test targets whose folders are those of the sources they test.
    private static let mirrored = ["Gateway", "Rooms"]
    /// What several tests share.
    private static let shared = "Support"

    /// Test files in folders that the module does not have, or in another one than the file they test.
    static func misplaced(_ tests: [SourceFile], of sources: [SourceFile]) -> [Violation] {
        mirrored.flatMap { module in
            let own = sources.filter { $0.module == module }
            // A folder that only holds folders is one too.
            var folders: Set<[String]> = [[]]
            for file in own { for end in file.inner.indices { folders.insert(Array(file.inner[...end])) } }
            let places = Dictionary(own.map { ($0.name, $0.inner) }) { first, _ in first }
            return tests.filter { $0.isUnder("Tests/\(module)Tests") }.compactMap { file -> Violation? in
                if file.inner == [shared] { return nil }
                if file.name.hasSuffix("Tests.swift"), let place = places[file.subject], place != file.inner {
                    let folder = (["Tests/\(module)Tests"] + place).joined(separator: "/")
                    return Violation(path: file.path, message: "belongs to \(folder), as what it tests")
                }
                guard !folders.contains(file.inner) else { return nil }
                return Violation(path: file.path, message: "Sources/\(module) has no such folder")
            }
        }
    }
}

extension SourceFile {
    /// The folders within the module or the test target.
    fileprivate var inner: [String] { Array(folders.dropFirst(2)) }
    /// The file that a file of tests is about: `RoomTests.swift` is about `Room.swift`.
    fileprivate var subject: String { name.replacing(/Tests\.swift$/) { _ in ".swift" } }
}

extension String {
    fileprivate var trimmed: String { String(drop { $0 == " " }.reversed().drop { $0 == " " }.reversed()) }
}
