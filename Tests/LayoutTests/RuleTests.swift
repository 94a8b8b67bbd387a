import Testing

/// Each rule is shown a file that breaks it and one that keeps it.
@Suite("The layout rules notice what they are for")
struct RuleTests {
    @Test(arguments: [
        ("Sources/Media/Wire/A.swift", "import RoundhouseRooms"),
        ("Sources/Media/Incoming/A.swift", "import Foundation"),
        ("Sources/Media/Incoming/A.swift", "internal import FoundationEssentials"),
        ("Sources/Media/ICE/A.swift", "import COpenSSL"),
        ("Sources/Media/Wire/A.swift", "import Glibc"),
        ("Sources/Media/Shard/A.swift", "import Glibc"),
        ("Sources/Media/Shard/A.swift", "import CLinuxNet"),
        ("Sources/Rooms/A.swift", "public import RoundhouseGateway"),
        ("Sources/Rooms/A.swift", "import NIOCore"),
        ("Sources/Gateway/HTTP1/A.swift", "import CNGHTTP2"),
        ("Sources/Gateway/Access/A.swift", "import COpenSSL"),
        ("Sources/Gateway/Listener/A.swift", "import COpenSSL"),
        ("Sources/Gateway/Access/JOSE/A.swift", "import CSRTP"),
        ("Sources/Gateway/A.swift", "@preconcurrency import struct Server.ServerCommand"),
    ])
    func `a forbidden import is found`(path: String, text: String) {
        #expect(ImportRules.violations(in: SourceFile(path: path, text: text)).count == 1)
    }

    @Test(arguments: [
        ("Sources/Media/DTLS/A.swift", "import COpenSSL"),
        ("Sources/Media/Network/A.swift", "import Glibc"),
        ("Sources/Media/Network/A.swift", "import CLinuxNet"),
        ("Sources/Rooms/A.swift", "public import RoundhouseMedia"),
        ("Sources/Gateway/HTTP2/A.swift", "import CNGHTTP2"),
        ("Sources/Gateway/Access/JOSE/A.swift", "import COpenSSL"),
        ("Sources/Gateway/TLS/A.swift", "import COpenSSL"),
        ("Sources/Gateway/A.swift", "import NIOCore"),
        ("Sources/Media/Wire/A.swift", "// import RoundhouseRooms\nlet important = 1"),
    ])
    func `an allowed import passes`(path: String, text: String) {
        #expect(ImportRules.violations(in: SourceFile(path: path, text: text)).isEmpty)
    }

    @Test(arguments: ["let now = ContinuousClock.now", "let x = UInt8.random(in: 0...1)", "await other.call()"])
    func `a machine that is no function of its arguments is found`(text: String) {
        for folder in ["ICE", "Shard", "Handoff", "LockFree"] {
            let file = SourceFile(path: "Sources/Media/\(folder)/A.swift", text: text)
            #expect(PurityRules.violations(in: file).count == 1)
        }
        #expect(PurityRules.violations(in: SourceFile(path: "Sources/Media/Network/A.swift", text: text)).isEmpty)
    }

    @Test func `a word inside a longer name is not that word, and a given generator is an argument`() {
        let text = "let awaiting = factor + TaskList.count + Int.random(in: 0...1, using: &generator) // await"
        #expect(PurityRules.violations(in: SourceFile(path: "Sources/Media/ICE/A.swift", text: text)).isEmpty)
    }

    @Test(arguments: [
        ("Sources/Rooms/RoomManager.swift", ""), ("Sources/Rooms/Utils/A.swift", ""),
        ("Sources/Rooms/A.swift", "public final class PeerHelper {}"), ("Sources/Media/A.swift", "enum Media {}"),
    ])
    func `a name that says nothing is found`(path: String, text: String) {
        #expect(NamingRules.violations(in: SourceFile(path: path, text: text)).count == 1)
    }

    @Test func `files of one module with the same name are found`() {
        let files = ["Sources/Media/A/X.swift", "Sources/Media/B/X.swift", "Sources/Rooms/X.swift"]
            .map { SourceFile(path: $0, text: "") }
        #expect(NamingRules.duplicates(in: files).count == 1)
    }

    @Test func `a type in a file of another name is found`() {
        let text = "struct A {\n    struct Inner {}\n}\npublic final class B {}\nprivate enum C {}\nextension D {}"
        func count(_ path: String) -> Int { TypeFileRules.violations(in: SourceFile(path: path, text: text)).count }
        #expect(count("Sources/Rooms/A.swift") == 1 && count("Sources/Rooms/A+More.swift") == 1)
        #expect(count("Sources/Media/B.swift") == 1 && count("Sources/Media/E.swift") == 2)
        #expect(count("Sources/Elsewhere/A.swift") == 0)
    }

    @Test func `a file is too long from one line above the limit`() {
        let text = String(repeating: "\n", count: SizeRules.limit)
        #expect(SizeRules.violations(in: SourceFile(path: "Sources/Rooms/A.swift", text: text)).isEmpty)
        #expect(SizeRules.violations(in: SourceFile(path: "Sources/Rooms/A.swift", text: text + "\n")).count == 1)
    }

    @Test func `unsafe code without its line is found, and with it passes`() {
        let bare = "func f(_ p: UnsafeRawPointer) {}"
        #expect(UnsafeCodeRules.violations(in: SourceFile(path: "Sources/Media/A.swift", text: bare)).count == 1)
        let explained = "// Safe: the pointer is used only during the call.\n" + bare
        #expect(UnsafeCodeRules.violations(in: SourceFile(path: "Sources/Media/A.swift", text: explained)).isEmpty)
    }

    @Test func `a buffer that is only handed on needs no line, one that is read does`() {
        let handed = "static func parse(_ bytes: UnsafeRawBufferPointer) -> Int {\n    ByteReader(bytes).count\n}"
        #expect(UnsafeCodeRules.violations(in: SourceFile(path: "Sources/Media/A.swift", text: handed)).isEmpty)
        let read = "static func first(_ bytes: UnsafeRawBufferPointer) -> UInt8 {\n    bytes[0]\n}"
        #expect(UnsafeCodeRules.violations(in: SourceFile(path: "Sources/Media/A.swift", text: read)).count == 1)
    }

    @Test func `unsafe code outside of the fence is found, and a place in it that is not needed`() {
        let file = SourceFile(path: "Sources/Media/Outgoing/A.swift", text: "func f(_ p: UnsafeRawPointer) {}")
        #expect(UnsafeFence.violations(in: file, allowed: [:]).count == 1)
        #expect(UnsafeFence.violations(in: file, allowed: ["Sources/Media/Outgoing": ["B"]]).count == 1)
        #expect(UnsafeFence.violations(in: file, allowed: ["Sources/Media/Outgoing": ["A"]]).isEmpty)
        #expect(!UnsafeFence.stale([]).isEmpty)
    }

    @Test func `an unchecked Sendable needs its line right above`() {
        let bare = "final class A: @unchecked Sendable {}"
        #expect(UnsafeCodeRules.violations(in: SourceFile(path: "Sources/Media/A.swift", text: bare)).count == 1)
        let far = "// Sendable: one thread.\nlet x = 1\n" + bare
        #expect(UnsafeCodeRules.violations(in: SourceFile(path: "Sources/Media/A.swift", text: far)).count == 1)
        let near = "// Sendable: one thread.\n/// A thing.\n" + bare
        #expect(UnsafeCodeRules.violations(in: SourceFile(path: "Sources/Media/A.swift", text: near)).isEmpty)
    }

    @Test(arguments: [
        "@Test func a() {\n    guard case .b = c else { return }\n}",
        "@Test(arguments: [1])\nfunc a(_ x: Int) throws {\n    run { y in\n        guard let y else { return }\n    }\n}",
        "    @Test func a() {\n        guard\n            case .b = c\n        else {\n            return\n        }\n    }",
        "@Test func a() { run() }\n@Test func b() {\n    if c { return }\n}",
    ])
    func `a test that can end early and pass is found`(text: String) {
        #expect(TestRules.violations(in: SourceFile(path: "Tests/RoomsTests/A.swift", text: text)).count == 1)
    }

    @Test(arguments: [
        "@Test func a() throws {\n    let b = try #require(c)\n}\nfunc run() {\n    guard c else { return }\n}",
        "@Test func a() {\n    guard c else {\n        Issue.record()\n        return\n    }\n}",
        "@Test func a() { run() }\nfunc run() {\n    guard c else { return }\n}",
    ])
    func `a test that fails before it ends, and what is no test, passes`(text: String) {
        #expect(TestRules.violations(in: SourceFile(path: "Tests/RoomsTests/A.swift", text: text)).isEmpty)
    }

    @Test(arguments: [
        "@Test(\"A sentence\") func short() {}",
        "    @Test(\n        \"A sentence\", arguments: [1])\n    func short() {}",
        "@Test func short() {}", "@Test(arguments: [1])\nmutating func short() {}",
    ])
    func `a test that is not named by its sentence is found`(text: String) {
        #expect(TestRules.named(in: SourceFile(path: "Tests/RoomsTests/A.swift", text: text)).count == 1)
        let other =
            "@Test(arguments: [\n\"a\"])\nfunc `a sentence`(_ text: String) {}\nfunc short() {}\n// @Test func a() {}"
        #expect(TestRules.named(in: SourceFile(path: "Tests/RoomsTests/A.swift", text: other)).isEmpty)
    }

    @Test(arguments: [
        ("Tests/RoomsTests/XTests.swift", 1), ("Tests/RoomsTests/State/XTests.swift", 0),
        ("Tests/RoomsTests/State/Deep/WordsTests.swift", 0), ("Tests/RoomsTests/Elsewhere/A.swift", 1),
        ("Tests/RoomsTests/WordsTests.swift", 0), ("Tests/RoomsTests/Support/A.swift", 0),
        ("Tests/GatewayTests/State/A.swift", 1), ("Tests/TestSupport/A.swift", 0),
    ])
    func `a test in another folder than what it tests is found`(path: String, count: Int) {
        let sources = ["Sources/Rooms/State/X.swift", "Sources/Rooms/State/Deep/Y.swift", "Sources/Gateway/Z.swift"]
            .map { SourceFile(path: $0, text: "") }
        #expect(TestRules.misplaced([SourceFile(path: path, text: "")], of: sources).count == count)
    }

    @Test(arguments: [
        ("Sources/Rooms/A.swift", "/// What it is sent is another."),
        ("Sources/Gateway/A.swift", "let a = 1  // told once"),
        ("Sources/Server/A.swift", "let text = \"the peer was told\""),
        ("Sources/Rooms/A.swift", "/// Who waits is served."),
        ("Sources/Rooms/A.swift", "/// Begins anew."), ("Sources/Rooms/A.swift", "/// - Throws: where it is closed."),
        ("Sources/Gateway/Page/a.js", " * Who asks twice."),
        ("Sources/Gateway/Page/a.js", "const text = 'signalling failed';"),
    ])
    func `a phrase that slows the reader down is found`(path: String, text: String) {
        #expect(WordRules.violations(in: SourceFile(path: path, text: text)).count == 1)
        #expect(WordRules.violations(in: SourceFile(path: "Sources/Elsewhere/A.swift", text: text)).isEmpty)
    }

    @Test(arguments: [
        "/// The layers changed. Peers are notified again.", "func told() {}", "let a = untold  // `told` is a name",
        "/// Who may enter? Everybody.", "let address = URL(\"https://example.com/anew\")",
        "/// Names of those who wait.",
    ])
    func `plain words pass`(text: String) {
        #expect(WordRules.violations(in: SourceFile(path: "Sources/Rooms/A.swift", text: text)).isEmpty)
    }

    @Test(arguments: [
        ("Tests/A.swift", "@Test func `who waits is served`() {}"), ("Tests/A.swift", "let a = 1  // told once"),
        ("Tests/a.py", "async def test_a_peer_is_told(gateway):"), ("Tests/a.py", "    # Begins anew."),
    ])
    func `such a phrase in a test's name or comment is found, in its code not`(path: String, text: String) {
        #expect(WordRules.violations(inTest: SourceFile(path: path, text: text)).count == 1)
        let code = "let told = `told`\nclient.send(\"told #\\(told)\")"
        #expect(WordRules.violations(inTest: SourceFile(path: path, text: code)).isEmpty)
    }

    @Test func `documents are prose in every line but for their code`() {
        let text = "| word | what it tells |\n| `told` | Who asks |\nThe room is told."
        #expect(WordRules.violations(inDocument: text, path: "Docs/A.md").map(\.line) == [2, 3])
    }

    @Test func `a comment that puts work off is found`() {
        let file = SourceFile(path: "Sources/Media/A.swift", text: "// TODO: later")
        #expect(CommentRules.violations(in: file).count == 1)
    }

    @Test(arguments: [
        "struct A {\n    var password: String\n}", "final class A {\n    private let token: String?\n}",
        "enum A {\n    case join(RoomID, password: String)\n}",
        "struct B: Redacted {\n    struct A {\n        let secret: [UInt8]\n    }\n}",
    ])
    func `a secret that its type would print is found`(text: String) {
        let file = SourceFile(path: "Sources/Rooms/A.swift", text: text)
        #expect(SecretRules.violations(in: [file]).count == 1)
    }

    @Test(arguments: [
        "struct A {\n    var password: Secret\n}", "struct A: Redacted {\n    var password: String\n}",
        "struct A {\n    var text: String { secret.revealed }\n}",
        "struct A {\n    func f(password: String) {\n        let token: String\n    }\n}",
        "struct A {\n    let token: String\n}\nextension A: Redacted {}",
    ])
    func `a secret that nothing prints passes`(text: String) {
        let file = SourceFile(path: "Sources/Rooms/A.swift", text: text)
        #expect(SecretRules.violations(in: [file]).isEmpty)
    }
}
