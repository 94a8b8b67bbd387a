import Foundation

/// The media plane is a function of datagrams, commands and time: nothing outside its shell asks the machine for more.
enum PurityRules {
    /// The one folder of Media that is a shell: threads, sockets, clocks.
    static let shell = "Sources/Media/Network"

    private static let banned: [(token: String, what: String)] = [
        ("clock_gettime", "reads a clock"), ("ContinuousClock", "reads a clock"),
        ("SuspendingClock", "reads a clock"), ("gettimeofday", "reads a clock"),
        ("getenv", "reads the environment"), ("ProcessInfo", "reads the environment"),
        (".random(", "uses randomness that was not given to it"),
        ("SystemRandomNumberGenerator", "uses randomness that was not given to it"),
        ("await", "suspends"), ("Task", "starts a task"), ("actor", "is an actor"),
        ("print(", "prints"),
    ]

    /// A generator handed over as `using:` is an argument like any other.
    private static func isRandom(_ token: String) -> Bool { token == ".random(" }

    static func violations(in file: SourceFile) -> [Violation] {
        guard file.isUnder("Sources/Media"), !file.isUnder(shell) else { return [] }
        return file.code.flatMap { number, text in
            banned.filter { Words.contains($0.token, in: text) && !(isRandom($0.token) && text.contains("using:")) }.map
            {
                Violation(path: file.path, line: number, message: "\($0.what) (\($0.token)); give it as an argument")
            }
        }
    }
}

enum Words {
    /// Whether `token` stands in `text` on its own, not as part of a longer name.
    static func contains(_ token: String, in text: String) -> Bool {
        guard text.holds(token) else { return false }
        var rest = text[...]
        while let range = rest.range(of: token) {
            let isWordBefore = range.lowerBound > text.startIndex && isName(text[text.index(before: range.lowerBound)])
            let isWordAfter = range.upperBound < text.endIndex && isName(text[range.upperBound])
            let startsWithName = token.first.map(isName) ?? false
            let endsWithName = token.last.map(isName) ?? false
            if !(startsWithName && isWordBefore) && !(endsWithName && isWordAfter) { return true }
            rest = rest[range.upperBound...]
        }
        return false
    }

    private static func isName(_ character: Character) -> Bool {
        character.isLetter || character.isNumber || character == "_"
    }
}
