import Testing

@testable import Rooms

@Suite struct JSONTests {
    @Test(arguments: [
        (#"{"b":[1,-2.5,true,null],"a":"x"}"#, #"{"a":"x","b":[1,-2.5,true,null]}"#),
        (" [ ] ", "[]"), ("{}", "{}"), ("1e3", "1000"), ("-0", "0"), ("1.0", "1"),
        (#""\u00e9\ud83d\ude00\n\"""#, #""é😀\n\"""#),
        ("9007199254740993", "9007199254740993"),
    ])
    func `a text is read and written back in its canonical form`(text: String, canonical: String) throws {
        #expect(try JSONValue(parsing: text).text == canonical)
    }

    @Test(arguments: [
        "", "{", "[1,", "[1,]", #"{"a"}"#, #"{"a":}"#, "{a:1}", "01", "1.", "+1", "tru", "nul", #""\x""#, "\"\u{1}\"",
        #""\ud800""#, #""\ud800\u0041""#, "[] []", "1e999", "-", #"{"a":1,}"#, "'a'", #""\u12""#,
    ])
    func `what is not JSON is refused`(text: String) {
        #expect(throws: JSONSyntaxError.self) { try JSONValue(parsing: text) }
    }

    @Test func `a text cut short anywhere is refused`() throws {
        let text = Array(#"{"request":true,"id":12,"data":{"x":[1.5,"é\u0041",null]}}"#.utf8)
        _ = try JSONValue(parsing: text)
        for end in 0..<text.count {
            #expect(throws: JSONSyntaxError.self) { try JSONValue(parsing: Array(text[..<end])) }
        }
    }

    @Test func `nesting is bounded`() throws {
        let deep = String(repeating: "[", count: 100_000)
        #expect(throws: JSONSyntaxError.self) { try JSONValue(parsing: deep) }
        _ = try JSONValue(parsing: String(repeating: "[", count: 32) + String(repeating: "]", count: 32))
    }

    @Test func `bytes that are not UTF-8 are refused`() {
        #expect(throws: JSONSyntaxError.self) { try JSONValue(parsing: [0x22, 0xFF, 0x22]) }
    }

    @Test func `a wrong field is named by its path`() throws {
        let reader = JSONReader(try json(#"{"a":{"b":[{"c":"x"},{}]}}"#))
        let list = try reader.required("a").required("b").array()
        #expect(try list[0].required("c").string() == "x")
        #expect(throws: JSONFieldError(path: "a.b[1].c", problem: "missing")) { try list[1].required("c") }
        #expect(throws: JSONFieldError(path: "a.b[0].c", problem: "not a boolean")) {
            try list[0].required("c").bool()
        }
        #expect(throws: JSONFieldError(path: "a", problem: "not an array")) { try reader.required("a").array() }
    }

    @Test func `whole numbers are checked against their type`() throws {
        #expect(try JSONReader(.integer(255)).integer(UInt8.self) == 255)
        for value in [JSONValue.integer(256), .integer(-1), .number(1.5), .string("1"), .null] {
            #expect(throws: JSONFieldError.self) { try JSONReader(value).integer(UInt8.self) }
        }
    }
}
