import Testing

/// The rules of the source tree, read from the files themselves.
@Suite("The source tree keeps its own rules")
struct LayoutTests {
    private func expectNone(_ violations: [Violation], sourceLocation: SourceLocation = #_sourceLocation) {
        let list = violations.map(\.description).joined(separator: "\n")
        #expect(violations.isEmpty, "\(list)", sourceLocation: sourceLocation)
    }

    @Test func `the tree is found, all four modules of it`() {
        let modules = Set(SourceTree.sources.compactMap(\.module))
        #expect(modules.isSuperset(of: ["Media", "Rooms", "Gateway", "Server"]))
    }

    @Test func `imports follow the arrows between the modules`() {
        expectNone(SourceTree.sources.flatMap(ImportRules.violations))
    }

    @Test func `nothing in Media but its shell reads a clock, the environment or a random source`() {
        expectNone(SourceTree.sources.flatMap(PurityRules.violations))
    }

    @Test func `names say something, and no type hides its module`() {
        expectNone(SourceTree.sources.flatMap(NamingRules.violations) + NamingRules.duplicates(in: SourceTree.sources))
    }

    @Test func `a type stands in a file of its name`() {
        expectNone(SourceTree.sources.flatMap { TypeFileRules.violations(in: $0) })
    }

    @Test func `no file is too long to read`() {
        expectNone((SourceTree.written + SourceTree.tests).flatMap(SizeRules.violations))
    }

    @Test func `every excuse for a long file is still needed`() {
        let long = (SourceTree.written + SourceTree.tests).filter { $0.lines.count > SizeRules.limit }.map(\.path)
        #expect(Set(SizeRules.excused.keys).isSubset(of: long))
    }

    @Test func `unsafe code names its invariant`() {
        expectNone(SourceTree.sources.flatMap(UnsafeCodeRules.violations))
    }

    @Test func `unsafe code stays inside its fence`() {
        expectNone(SourceTree.sources.flatMap { UnsafeFence.violations(in: $0) })
        expectNone(UnsafeFence.stale(SourceTree.sources))
    }

    @Test func `whatever is kept for a client is borrowed from its address's account`() {
        expectNone(SourceTree.sources.flatMap(BufferRules.violations))
        let keepers = SourceTree.sources.filter(BufferRules.keepsBuffers).map(\.path)
        #expect(Set(BufferRules.excused.keys).isSubset(of: keepers))
    }

    @Test func `nothing that holds a secret prints it`() {
        expectNone(SecretRules.violations(in: SourceTree.sources))
    }

    @Test func `comments, messages and documents are in plain English`() throws {
        let pages = SourceTree.written.filter { $0.isUnder(WordRules.pages) }
        var found = (SourceTree.sources + pages).flatMap(WordRules.violations(in:))
        for path in SourceTree.documents where path != "CHANGELOG.md" {
            found += WordRules.violations(inDocument: try #require(SourceTree.text(of: path)), path: path)
        }
        expectNone(found + (SourceTree.tests + SourceTree.scripts).flatMap(WordRules.violations(inTest:)))
    }

    @Test func `a test's sentence is its function's name`() {
        expectNone(SourceTree.tests.flatMap(TestRules.named))
    }

    @Test func `no test can end early and pass`() {
        expectNone(SourceTree.tests.flatMap(TestRules.violations))
    }

    @Test func `tests lie in the folders of what they test`() {
        expectNone(TestRules.misplaced(SourceTree.tests, of: SourceTree.sources))
    }

    @Test func `no comment puts work off`() {
        expectNone(SourceTree.sources.flatMap(CommentRules.violations))
    }
}
