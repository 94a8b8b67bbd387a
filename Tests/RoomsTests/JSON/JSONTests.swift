import Testing

@testable import RoundhouseRooms

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

    @Test func `of a name that is there twice the last counts, or the text is refused`() throws {
        for text in [#"{"a":1,"a":2}"#, #"{"a":1,"\u0061":2}"#, #"{"a":null,"a":2}"#] {
            #expect(try JSONValue(parsing: text) == .object(["a": .integer(2)]))
            #expect(throws: JSONSyntaxError.self) { try JSONValue(parsing: Array(text.utf8), repeatedNames: .refused) }
        }
        let nested = Array(#"{"a":[{"b":1,"b":1}]}"#.utf8)
        #expect(throws: JSONSyntaxError.self) { try JSONValue(parsing: nested, repeatedNames: .refused) }
        let equal = #"{"a":{"a":1},"A":{"a":1}}"#
        #expect(
            try JSONValue(parsing: Array(equal.utf8), repeatedNames: .refused).text == #"{"A":{"a":1},"a":{"a":1}}"#)
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

    @Test func `a number is the nearest one there is, as the standard library reads it`() throws {
        var random = SystemRandomNumberGenerator()
        var texts = [
            "9223372036854775807", "9223372036854775808", "-9223372036854775808", "-9223372036854775809", "0.1", "1e22",
            "1e23", "123456789012345678901234567890", "9007199254740993e0", "9007199254740993.0", "1e-400", "5e-324",
            "2.2250738585072011e-308", "1.7976931348623157e308", "0e999999999999999999999", "-0.0", "1E+2", "3.14e-2",
            "0.000000000000000000000000000000001", "9007199254740992e22", "1e0000000000000000000000001",
        ]
        for _ in 0..<20_000 {
            let bits = Int.random(in: 1...63, using: &random)
            let digits = String(UInt64.random(in: 0...UInt64(1) << bits, using: &random))
            let point = Int.random(in: 0...digits.count, using: &random)
            let whole = String(Substring(digits.prefix(point)).drop { $0 == "0" })
            let fraction = point < digits.count ? "." + digits.dropFirst(point) : ""
            let exponent = Bool.random(using: &random) ? "e\(Int.random(in: -330...300, using: &random))" : ""
            texts.append((whole.isEmpty ? "0" : whole) + fraction + exponent)
        }
        for text in texts {
            let expected: JSONValue
            if let integer = Int64(text) {
                expected = .integer(integer)
            } else {
                let value = try #require(Double(text))
                guard value.isFinite else {
                    #expect(throws: JSONSyntaxError.self, "\(text)") { try JSONValue(parsing: text) }
                    continue
                }
                expected = .normalized(value)
            }
            #expect(try JSONValue(parsing: text) == expected, "\(text)")
        }
    }

    @Test func `escapes and plain runs may alternate in one text`() throws {
        let text = #"a\u0041b\n\ud83d\ude00é\\c\u00e9\u20ac"#
        #expect(try JSONValue(parsing: "\"\(text)\"") == .string("aAb\n😀é\\cé€"))
        #expect(try JSONValue(parsing: "\"\"") == .string(""))
        #expect(throws: JSONSyntaxError.self) { try JSONValue(parsing: Array("\"a\\nb".utf8) + [0xC3, 0x22]) }
    }
}
