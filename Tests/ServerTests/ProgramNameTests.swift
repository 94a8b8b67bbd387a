import Testing

@testable import Server

@Suite("The program's name is what it was started by")
struct ProgramNameTests {
    @Test func `it is the last part of the path`() {
        #expect(ProgramName.of("/usr/bin/roundhouse") == "roundhouse")
        #expect(ProgramName.of("roundhouse") == "roundhouse")
        #expect(ProgramName.of(".build/release/gateway") == "gateway")
    }

    @Test func `a name that no shell could complete is the product's`() {
        for path in [nil, "", "/", "a b", "$(id)", "né"] { #expect(ProgramName.of(path) == "gateway") }
    }
}
