import Testing

@testable import Server

@Suite struct ConfigurationFileTests {
    private typealias Entry = ConfigurationFile.Entry

    private func entries(_ text: String) throws -> [String: [String]] {
        Dictionary(uniqueKeysWithValues: try ConfigurationFile(parsing: text).entries.map { ($0.name, $0.texts) })
    }

    private func problem(_ text: String) -> String? {
        do throws(ConfigurationFile.Problem) {
            _ = try ConfigurationFile(parsing: text)
            return nil
        } catch {
            return error.message
        }
    }

    @Test(arguments: [
        ("port: 1", "1"), ("port:   1   ", "1"), ("port : 1", "1"), ("port:\t1", "1"), ("'port': 1", "1"),
        (#""port" : 1"#, "1"), ("port: 1 # a comment", "1"), ("port: 1\t#c", "1"), ("port: a#b", "a#b"),
        ("port: # nothing", ""), ("port:", ""), ("port: ''", ""), (#"port: """#, ""), ("port: '#'", "#"),
        ("port: it's", "it's"), ("port: 'it''s'", "it's"), (#"port: "a\"b""#, #"a"b"#), ("port: 'a\\n'", "a\\n"),
        (#"port: "\\\t\u00e4\x41\U0001F600""#, "\\\tä\u{41}😀"), ("port: k:secret", "k:secret"), ("port: ::1", "::1"),
        ("port: -1", "-1"), ("port: ?x", "?x"), ("port: a, b", "a, b"), ("port: a [b]", "a [b]"),
        ("port: https://a.test/?x=1#y", "https://a.test/?x=1#y"), ("port: yes", "yes"), ("port: 0x10", "0x10"),
        ("port: a  b", "a  b"), ("port: ~a", "~a"), ("port: 'null'", "null"), ("port: nULL", "nULL"),
        ("port: 1.50", "1.50"), ("  port: 1", "1"),
        ("port: ä 日本", "ä 日本"), ("\u{feff}port: 1", "1"), ("---\nport: 1\n...\n# end\n", "1"),
        ("--- # start\nport: 1", "1"), ("# c\n\n \t\n  # c\nport: 1\r\n# c\r\n", "1"), ("port: 'a' # c", "a"),
    ])
    func `a value is the text that YAML has`(text: String, value: String) throws {
        let file = try ConfigurationFile(parsing: text)
        #expect(file.entries.map(\.texts) == [[value]])
        #expect(file.entries.map(\.name) == ["port"] && file.entries.map(\.isList) == [false])
    }

    @Test(
        arguments: [
            ("x: []", []), ("x: [ ]", []), ("x: [a]", ["a"]), ("x: [a, b]", ["a", "b"]), ("x: [a,b]", ["a", "b"]),
            ("x: [ 'a, b' , \"c]\" ]", ["a, b", "c]"]), ("x: [a, b,]", ["a", "b"]),
            ("x: [::1, 10.0.0.0/8]", ["::1", "10.0.0.0/8"]),
            ("x: [a, # one\n  b # two\n] # all", ["a", "b"]), ("x: [\n\n  a\n  ,b\n]", ["a", "b"]),
            ("x: [https://a.test:8443]", ["https://a.test:8443"]), ("x: [k:s]", ["k:s"]),
            ("x: [a b, c]", ["a b", "c"]),
            ("x:\n- a\n- b", ["a", "b"]), ("x:\n  - a\n\n  # c\n  - 'b' # c\n", ["a", "b"]), ("x: # c\n  -   a", ["a"]),
            ("x:\n  -\n  - ''", ["", ""]), ("x:\n- -1\n- a, b\n- k:s", ["-1", "a, b", "k:s"]), ("x:\n-\ta", ["a"]),
        ] as [(String, [String])])
    func `a list is read in each of its forms`(text: String, texts: [String]) throws {
        #expect(try ConfigurationFile(parsing: text + "\ny: 1").entries.first?.texts == texts)
        let file = try ConfigurationFile(parsing: text)
        #expect(file.entries.map(\.texts) == [texts])
        #expect(file.entries.map(\.isList) == [true])
    }

    @Test func `keys know their lines, and those that stand deeper the way to them`() throws {
        let text = "# c\nport: 1\nlimits:\n  rooms: 5\n  peers:\n    most: 7\nhost: h\n"
        #expect(
            try ConfigurationFile(parsing: text).entries == [
                Entry(name: "port", line: 2, texts: ["1"], isList: false),
                Entry(name: "limits.rooms", line: 4, texts: ["5"], isList: false),
                Entry(name: "limits.peers.most", line: 6, texts: ["7"], isList: false),
                Entry(name: "host", line: 7, texts: ["h"], isList: false),
            ])
        #expect(try ConfigurationFile(parsing: "").entries.isEmpty)
        #expect(try ConfigurationFile(parsing: "---\n# nothing\n...").entries.isEmpty)
    }

    @Test(arguments: [
        ("port: 1: 2", "1:8:"), ("port: 1:", "1:8:"), ("a: 1\n\n- port", "3:1:"), ("- port", "1:1:"),
        ("\tport: 1", "1:1:"),
        ("a: 1\n \tport: 1", "2:2:"), ("port", "1:1:"), ("port:1", "1:1:"), (": 1", "1:1:"), ("'port' 1", "1:8:"),
        ("'port':1", "1:8:"), ("port: 'a", "1:7:"), ("port: \"a\nb\"", "1:7:"), ("port: 'a' b", "1:11:"),
        ("port: 'a'b", "1:10:"), ("port: 'a'#b", "1:10:"), (#"port: "\q""#, "1:9:"), (#"port: "\ud800""#, "1:9:"),
        (#"port: "\x4""#, "1:9:"), ("port: &a 1", "1:7:"), ("port: *a", "1:7:"), ("port: !!str 1", "1:7:"),
        ("port: |\n  1", "1:7:"), ("port: >\n  1", "1:7:"), ("port: {a: 1}", "1:7:"), ("port: ]", "1:7:"),
        ("port: @a", "1:7:"), ("port: `a`", "1:7:"), ("port: %a", "1:7:"), ("port: - a", "1:7:"), ("port: , a", "1:7:"),
        ("%YAML 1.2\n---\nport: 1", "1:1:"), ("? port\n: 1", "1:1:"), ("{port: 1}", "1:1:"), ("[port]", "1:1:"),
        ("port: ~", "1:7:"), ("port: null # c", "1:7:"), ("x: [a, NULL]", "1:8:"), ("x:\n- Null", "2:3:"),
        ("a: b\u{85}c: d", "1:5:"), ("a: \u{9b}31m", "1:4:"),
        ("port: 1\nport: 2", "2:1: port is there twice, first in line 1"), ("a: 1\n  b: 2", "2:3:"),
        ("a: 1\n  more", "2:3:"),
        ("a: 'x'\n b: 2", "2:2:"), ("a:\n  b: 1\n c: 2", "3:2:"), ("  a: 1\nb: 2", "2:1:"), ("a: 1\n---\nb: 2", "2:1:"),
        ("a: 1\n...\nb: 2", "3:1:"), ("a: [1", "1:4:"), ("a: [1\n\n", "1:4:"), ("a: ['b' 1]", "1:9:"),
        ("a: [,]", "1:5:"),
        ("a: [1,,2]", "1:7:"), ("a: [[1]]", "1:5:"), ("a: [{b: 1}]", "1:5:"), ("a: [b: 1]", "1:6:"),
        ("a: [b:]", "1:6:"),
        ("a: [1] 2", "1:8:"), ("a: [1]2", "1:7:"), ("a: [1]\n- 2", "2:1:"), ("a:\n  - 1\n - 2", "3:2:"),
        ("a:\n  - 1\n    - 2", "3:5:"), ("a:\n- b: 1", "2:4:"), ("a:\n- - b", "2:3:"), ("a:\n- [b]", "2:3:"),
        ("a:\n- b\n  c: 1", "3:3:"), ("a: 1\0", "1:5:"), ("a: \u{1b}[1m", "1:4:"), ("a: 1\rb: 2", "1:5:"),
        ("a: [\n\u{7f}]", "2:1:"), ("a:\n  b:\n- c", "3:1:"), ("'a\nb': 1", "1:1:"), ("#\na: 1 #\n\u{b}", "3:1:"),
    ])
    func `what is not in that part of YAML is refused, with its place and without its text`(text: String, place: String)
    {
        let said = problem(text)
        #expect(said?.hasPrefix(place) == true, "\(said ?? "taken")")
        #expect(said.map { $0.utf8.count < 120 } == true)
    }

    @Test func `no problem shows a secret`() throws {
        let secret = "b7f1c2d3e4f5061728394a5b6c7d8e9f"
        for text in [
            "auth-key: '\(secret)", "auth-key: \(secret): x", "auth-key: 'k' \(secret)", "auth-key: &\(secret)",
            "auth-key: [\(secret)", "auth-key: ['\(secret)' \(secret)]", "auth-key:\n- \(secret): 1",
            "auth-key:\(secret)",
            "auth-key:\n  \(secret)", "auth-key: \"\\q\(secret)\"", "auth-key: |\n  \(secret)",
            "admin-token: !\(secret)",
            "admin-token: a\n  \(secret)", "\(secret)", "- \(secret)", "'\(secret)",
        ] {
            let said = try #require(problem(text), "\(text)")
            #expect(!said.contains(secret.prefix(6)), "\(said)")
        }
    }

    @Test func `a file cut short or changed anywhere is read or refused`() throws {
        let text =
            "---\n# c\nport: 13\nlist: [a, 'b', \"c\\n\"] # d\nkeys:\n  - 'k:s'\n  - x\nhost: ::1\nlimits:\n  a: b\n...\n"
        let scalars = Array(text.unicodeScalars)
        _ = try entries(text)
        for count in scalars.indices {
            _ = problem(String(String.UnicodeScalarView(scalars[..<count])))
            for other in ["'", "\"", "[", "]", ":", "-", " ", "\n", "\\", "#", "\t", "\0", "\u{301}"]
                as [Unicode.Scalar]
            {
                var changed = scalars
                changed[count] = other
                _ = problem(String(String.UnicodeScalarView(changed)))
                changed.insert(scalars[count], at: count)
                _ = problem(String(String.UnicodeScalarView(changed)))
            }
        }
    }
}
