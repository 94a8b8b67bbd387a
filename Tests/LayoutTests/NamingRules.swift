/// Names that say nothing, names that collide, and files nobody can read in one sitting.
enum NamingRules {
    /// Words that a file's or a type's name must not end with.
    static let emptyWords = ["Utils", "Util", "Utilities", "Helpers", "Helper", "Common", "Manager", "Base", "Impl"]
    private static let modules: Set<String> = ["Media", "Rooms", "Gateway", "Server"]

    static func violations(in file: SourceFile) -> [Violation] {
        var found: [Violation] = []
        for folder in file.folders where emptyWords.contains(folder) {
            found.append(Violation(path: file.path, message: "a folder called \(folder) says nothing"))
        }
        let stem = String(file.name.split(separator: ".").first ?? "")
        if let word = emptyWords.first(where: stem.hasSuffix) {
            found.append(Violation(path: file.path, message: "'\(word)' in a file's name says nothing"))
        }
        for (number, type) in declaredTypes(in: file) {
            if let word = emptyWords.first(where: type.hasSuffix) {
                found.append(Violation(path: file.path, line: number, message: "\(type): '\(word)' says nothing"))
            }
            if modules.contains(type) {
                found.append(
                    Violation(
                        path: file.path, line: number,
                        message: "a type called like the module \(type) hides the module from those who import it"))
            }
        }
        return found
    }

    static func declaredTypes(in file: SourceFile) -> [(line: Int, name: String)] {
        let kinds: Set<String> = ["struct", "class", "enum", "actor", "protocol", "typealias"]
        return file.code.compactMap { number, text in
            let words = text.split { !($0.isLetter || $0.isNumber || $0 == "_" || $0 == "@") }.map(String.init)
            guard let position = words.firstIndex(where: kinds.contains), position + 1 < words.count else { return nil }
            let name = words[position + 1]
            return name.first?.isUppercase == true ? (number, name) : nil
        }
    }

    /// Two files of one module cannot have the same name: folders do not tell them apart.
    static func duplicates(in files: [SourceFile]) -> [Violation] {
        let groups = Dictionary(grouping: files) { ($0.module ?? "") + "/" + $0.name }
        return groups.values.filter { $0.count > 1 }.map { group in
            Violation(path: group[0].path, message: "also at " + group.dropFirst().map(\.path).joined(separator: ", "))
        }
    }
}

enum SizeRules {
    /// Above this a file needs a reason in `excused`.
    static let limit = 700
    /// Path → why the file may be longer than `limit` lines.
    static let excused: [String: String] = [:]

    static func violations(in file: SourceFile) -> [Violation] {
        guard file.lines.count > limit, excused[file.path] == nil else { return [] }
        return [
            Violation(
                path: file.path,
                message: "\(file.lines.count) lines: split it, or give a reason in SizeRules.excused")
        ]
    }
}
