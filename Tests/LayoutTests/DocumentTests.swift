import Foundation
import Testing

/// Documents that list what the code has, compared with the code.
@Suite("The documents name what the code has")
struct DocumentTests {
    /// String literals after the cases of a `var` named `property`, such as an error code's `name`.
    private func names(of property: String, in path: String, type: String = "String") throws -> [String] {
        let text = try #require(SourceTree.text(of: path), "\(path) is gone")
        let start = try #require(text.range(of: "var \(property): \(type) {"))
        let rest = text[start.upperBound...]
        let body = rest[..<(rest.range(of: "\n    }")?.lowerBound ?? rest.endIndex)]
        return body.matches(of: /case \.\w+: "([^"]+)"/).map { String($0.1) }
    }

    private func rows(of path: String) throws -> String { try #require(SourceTree.text(of: path), "\(path) is gone") }

    @Test func `every error code has a row in Signaling.md`() throws {
        let document = try rows(of: "Docs/Signaling.md")
        let codes = try names(of: "name", in: "Sources/Rooms/RoomError.swift")
        #expect(codes.count > 10)
        for code in codes { #expect(document.contains("| `\(code)` |"), "\(code)") }
    }

    @Test func `every notification and request of the server is in Signaling.md`() throws {
        let document = try rows(of: "Docs/Signaling.md")
        let text = try ["ServerNotification", "ServerRequest"].map {
            try rows(of: "Sources/Rooms/Signaling/\($0).swift")
        }
        let methods = text.joined().matches(of: /case \.\w+: "([A-Za-z-]+)"/).map { String($0.1) }
        #expect(methods.count > 8)
        for method in methods { #expect(document.contains("`\(method)`"), "\(method)") }
    }

    @Test func `every method of clients is in Signaling.md`() throws {
        let document = try rows(of: "Docs/Signaling.md")
        let text = try #require(SourceTree.text(of: "Sources/Rooms/Signaling/Requests/SignalingRequest+JSON.swift"))
        let methods = text.matches(of: /case "([A-Za-z]+)": \./).map { String($0.1) }
        #expect(methods.count > 20)
        for method in methods { #expect(document.contains("`\(method)`"), "\(method)") }
    }

    @Test func `every setting has a row in Operations.md, and every row a setting`() throws {
        let document = try rows(of: "Docs/Operations.md")
        let text = try #require(SourceTree.text(of: "Sources/Server/Settings/Setting.swift"))
        let start = try #require(text.range(of: "enum Setting: String"))
        let cases = text[start.upperBound...].prefix(upTo: try #require(text.range(of: "enum Kind")).lowerBound)
        let settings = cases.matches(of: /case (\w+)(?: = "([a-z-]+)")?\n/).map { String($0.2 ?? $0.1) }
        #expect(settings.count > 25)
        for setting in settings { #expect(document.contains("\n| `--\(setting)` |"), "\(setting)") }
        for row in document.matches(of: /\n\| `--([a-z-]+)` \|/) where row.1 != "config" {
            #expect(settings.contains(String(row.1)), "--\(row.1)")
        }
    }

    @Test func `every endpoint is in Security.md`() throws {
        let document = try rows(of: "Docs/Security.md")
        let patterns = try names(of: "pattern", in: "Sources/Gateway/Routing/Endpoint.swift", type: "String?")
        #expect(patterns.count > 40)
        for pattern in patterns { #expect(document.contains("`\(pattern)`"), "\(pattern)") }
    }

    @Test func `every test that Security.md names is there`() throws {
        let document = try rows(of: "Docs/Security.md")
        let files = (SourceTree.tests + SourceTree.scripts)
        let names = Set(document.matches(of: /`([A-Za-z0-9_]+(?:Tests|\.py))`/).map { String($0.1) })
        #expect(names.count > 10)
        for name in names {
            #expect(
                files.contains { file in
                    file.name == name || file.name == name + ".swift"
                        || file.lines.contains { $0.contains("struct \(name)") }
                }, "\(name)")
        }
        for sentence in document.matches(of: /`([a-z][^`\/{}]+ [^`\/{}]+ [^`\/{}]+)`/)
        where !sentence.1.hasPrefix("make ") {
            let declaration = "func `\(sentence.1)`"
            #expect(files.contains { $0.lines.contains { $0.contains(declaration) } }, "\(sentence.1)")
        }
    }

    @Test func `every limit and every reason of a refused token is in Operations.md`() throws {
        let document = try rows(of: "Docs/Operations.md")
        for (path, name) in [
            ("Sources/Gateway/Observability/GatewayLimit.swift", "GatewayLimit"),
            ("Sources/Rooms/RoomLimit.swift", "RoomLimit"),
            ("Sources/Gateway/Access/TokenProblem.swift", "TokenProblem"),
        ] {
            let text = try #require(SourceTree.text(of: path))
            let body = text[try #require(text.range(of: "enum \(name): String")).upperBound...].prefix { $0 != "}" }
            let labels = body.matches(of: /case (\w+)(?: = "(\w+)")?\n/).map { String($0.2 ?? $0.1) }
            #expect(labels.count > 3)
            for label in labels { #expect(document.contains("`\(label)`"), "\(label)") }
        }
    }

    @Test func `every type of room event is in Operations.md and in the OpenAPI document`() throws {
        let document = try rows(of: "Docs/Operations.md")
        let description = try rows(of: "Sources/Gateway/Page/api/openapi.json")
        let types = try names(of: "name", in: "Sources/Rooms/Events/RoomEvent.swift")
        #expect(types.count > 20)
        for type in types {
            #expect(document.contains("`\(type)`"), "\(type)")
            #expect(description.contains("\"\(type)\""), "\(type)")
        }
        let list = try rows(of: "Sources/Rooms/Events/RoomEvent+TypeNames.swift")
        #expect(Set(list.matches(of: /"([a-z-]+)"/).map { String($0.1) }) == Set(types))
    }

    @Test func `every drop reason and counter of the media threads is in Operations.md`() throws {
        let document = try rows(of: "Docs/Operations.md")
        for (name, prefix, suffix) in [("DropReason", "`", "`"), ("ShardCounter", "`roundhouse_media_", "_total`")] {
            let text = try #require(SourceTree.text(of: "Sources/Media/\(name).swift"))
            let body = text[try #require(text.range(of: "enum \(name): Int")).upperBound...].prefix { $0 != "}" }
            let cases = body.matches(of: /case (\w+)\n/).map { String($0.1) }
            #expect(cases.count > 20)
            for name in cases {
                // An acronym is one word: `unknownSSRC` is unknown_ssrc.
                let label = name.replacing(/([a-z])([A-Z])/) { "\($0.1)_\($0.2)" }.lowercased()
                #expect(document.contains(prefix + label + suffix), "\(label)")
            }
        }
    }

    @Test func `every link between documents leads somewhere`() throws {
        for path in SourceTree.documents {
            let text = try #require(SourceTree.text(of: path))
            let folder = SourceTree.root.appending(path: path).deletingLastPathComponent()
            for match in text.matches(of: /\]\(([^)#:]+)\)/) {
                let target = folder.appending(path: String(match.1)).standardizedFileURL
                // The picture is taken from a running server, and may be absent while that is being changed.
                if target.pathExtension == "png" { continue }
                #expect(FileManager.default.fileExists(atPath: target.path), "\(path): \(match.1)")
            }
        }
    }
}
