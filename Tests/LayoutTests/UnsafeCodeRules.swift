/// Unsafe code says which invariant makes it safe, next to where it is.
enum UnsafeCodeRules {
    private static let tokens = [
        "UnsafePointer", "UnsafeMutablePointer", "UnsafeRawPointer", "UnsafeMutableRawPointer", "UnsafeBufferPointer",
        "UnsafeMutableBufferPointer", "UnsafeRawBufferPointer", "UnsafeMutableRawBufferPointer", "OpaquePointer",
        "Unmanaged", "withUnsafeBytes", "withUnsafeMutableBytes", "withUnsafePointer", "withUnsafeMutablePointer",
        "withUnsafeTemporaryAllocation", "withUnsafeBufferPointer", "withUnsafeMutableBufferPointer",
    ]
    private static let never = ["unsafeBitCast", "withoutActuallyEscaping", "unsafeDowncast"]

    static func violations(in file: SourceFile) -> [Violation] {
        var found: [Violation] = []
        let code = file.code
        let firstUse = code.first { line in tokens.contains { Words.contains($0, in: line.text) } }
        if let firstUse, !file.lines.contains(where: { $0.contains("// Safe:") }) {
            found.append(
                Violation(
                    path: file.path, line: firstUse.number,
                    message: "unsafe code without a '// Safe:' line that names the invariant"))
        }
        for (number, text) in code {
            if text.contains("@unchecked Sendable"), !isExplained(number, in: file, by: "// Sendable:") {
                found.append(
                    Violation(
                        path: file.path, line: number,
                        message: "@unchecked Sendable without a '// Sendable:' line that says who may call what"))
            }
            for token in never where Words.contains(token, in: text) {
                found.append(Violation(path: file.path, line: number, message: "\(token) is not used here"))
            }
        }
        return found
    }

    /// The marker stands on the line itself or in the comment right above the declaration.
    private static func isExplained(_ number: Int, in file: SourceFile, by marker: String) -> Bool {
        if file.lines[number - 1].contains(marker) { return true }
        var index = number - 2
        while index >= 0 {
            let line = file.lines[index].drop(while: \.isWhitespace)
            guard line.hasPrefix("//") || line.hasPrefix("@") else { return false }
            if line.contains(marker) { return true }
            index -= 1
        }
        return false
    }
}

/// What comments are not for.
enum CommentRules {
    static func violations(in file: SourceFile) -> [Violation] {
        file.lines.enumerated().compactMap { index, line in
            for marker in ["TODO", "FIXME", "XXX", "HACK"] where Words.contains(marker, in: line) {
                return Violation(
                    path: file.path, line: index + 1, message: "\(marker): file an issue, or do it")
            }
            return nil
        }
    }
}
