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
        if let line = firstUnsafeLine(of: code), !file.lines.contains(where: { $0.contains("// Safe:") }) {
            found.append(
                Violation(
                    path: file.path, line: line,
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

    /// The first line that does something unsafe.
    ///
    /// A buffer that is only handed on, to a `ByteReader` or a function of this module, is safe or not where it is read;
    /// so a buffer type in a signature counts only in a file that reads through the name it was given there.
    static func firstUnsafeLine(of code: [(number: Int, text: String)]) -> Int? {
        let buffers: Set<String> = ["UnsafeRawBufferPointer", "UnsafeMutableRawBufferPointer"]
        let other = tokens.filter { !buffers.contains($0) }
        var names: Set<String> = []
        // Before the regular expression, which takes its time.
        for (_, text) in code where text.holds("RawBufferPointer") {
            for match in text.matches(of: /(\w+): (?:inout )?Unsafe(?:Mutable)?RawBufferPointer/) {
                names.insert(String(match.1))
            }
        }
        let reads = names.flatMap { ["\($0)[", "\($0).load", "\($0).baseAddress", "\($0).store", "\($0).copy"] }
        return code.first { line in
            other.contains { Words.contains($0, in: line.text) } || reads.contains { Words.contains($0, in: line.text) }
        }?.number
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
