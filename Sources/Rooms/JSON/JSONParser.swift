extension JSONValue {
    /// Deeper nesting than this is refused: no message of ours needs more than 8 levels.
    public static let defaultMaximumDepth = 32

    /// What becomes of an object that has a name twice (RFC 8259 §4 leaves it open).
    public enum RepeatedNames: Sendable {
        /// The last wins, as in JavaScript.
        case lastWins
        /// The text is refused: for what is signed, where two readers must not see two different things.
        case refused
    }

    /// Reads one JSON text.
    /// - Throws: `JSONSyntaxError` when it is not JSON, is nested deeper than `maximumDepth`, or is not UTF-8.
    public init(
        parsing bytes: [UInt8], maximumDepth: Int = defaultMaximumDepth, repeatedNames: RepeatedNames = .lastWins
    ) throws(JSONSyntaxError) {
        var parser = JSONParser(bytes: bytes, maximumDepth: maximumDepth, repeatedNames: repeatedNames)
        self = try parser.text()
    }

    /// Reads one JSON text.
    /// - Throws: `JSONSyntaxError` when it is not JSON or is nested deeper than `maximumDepth`.
    public init(parsing text: String, maximumDepth: Int = defaultMaximumDepth) throws(JSONSyntaxError) {
        try self.init(parsing: Array(text.utf8), maximumDepth: maximumDepth)
    }
}

/// A recursive-descent reader of RFC 8259 with bounded depth.
struct JSONParser {
    private let bytes: [UInt8]
    private let maximumDepth: Int
    private let repeatedNames: JSONValue.RepeatedNames
    private var offset = 0

    init(bytes: [UInt8], maximumDepth: Int, repeatedNames: JSONValue.RepeatedNames = .lastWins) {
        self.bytes = bytes
        self.maximumDepth = maximumDepth
        self.repeatedNames = repeatedNames
    }

    mutating func text() throws(JSONSyntaxError) -> JSONValue {
        let value = try value(depth: 0)
        skipSpace()
        guard offset == bytes.count else { throw failure("unexpected text after the value") }
        return value
    }

    private func failure(_ problem: String) -> JSONSyntaxError { JSONSyntaxError(problem: problem, offset: offset) }

    private var current: UInt8? { offset < bytes.count ? bytes[offset] : nil }

    private mutating func skipSpace() {
        while let byte = current, byte == 0x20 || byte == 0x0A || byte == 0x0D || byte == 0x09 { offset += 1 }
    }

    private mutating func value(depth: Int) throws(JSONSyntaxError) -> JSONValue {
        guard depth <= maximumDepth else { throw failure("nested too deeply") }
        skipSpace()
        switch current {
        case UInt8(ascii: "{"): return try object(depth: depth)
        case UInt8(ascii: "["): return try array(depth: depth)
        case UInt8(ascii: "\""): return .string(try string())
        case UInt8(ascii: "t"): return try literal(Self.words.true, .bool(true))
        case UInt8(ascii: "f"): return try literal(Self.words.false, .bool(false))
        case UInt8(ascii: "n"): return try literal(Self.words.null, .null)
        case UInt8(ascii: "-"), .some(0x30...0x39): return try number()
        case nil: throw failure("unexpected end")
        default: throw failure("unexpected character")
        }
    }

    private static let words: (true: [UInt8], false: [UInt8], null: [UInt8]) = (
        Array("true".utf8), Array("false".utf8), Array("null".utf8)
    )

    private mutating func literal(_ word: [UInt8], _ value: JSONValue) throws(JSONSyntaxError) -> JSONValue {
        guard bytes[offset...].starts(with: word) else { throw failure("unexpected character") }
        offset += word.count
        return value
    }

    private mutating func object(depth: Int) throws(JSONSyntaxError) -> JSONValue {
        offset += 1
        var fields: [String: JSONValue] = [:]
        skipSpace()
        if current == UInt8(ascii: "}") {
            offset += 1
            return .object(fields)
        }
        while true {
            skipSpace()
            guard current == UInt8(ascii: "\"") else { throw failure("expected a field name") }
            let name = try string()
            skipSpace()
            guard current == UInt8(ascii: ":") else { throw failure("expected ':'") }
            offset += 1
            let former = fields.updateValue(try value(depth: depth + 1), forKey: name)
            guard former == nil || repeatedNames == .lastWins else { throw failure("a name is there twice") }
            skipSpace()
            switch current {
            case UInt8(ascii: ","): offset += 1
            case UInt8(ascii: "}"):
                offset += 1
                return .object(fields)
            default: throw failure("expected ',' or '}'")
            }
        }
    }

    private mutating func array(depth: Int) throws(JSONSyntaxError) -> JSONValue {
        offset += 1
        var values: [JSONValue] = []
        skipSpace()
        if current == UInt8(ascii: "]") {
            offset += 1
            return .array(values)
        }
        while true {
            values.append(try value(depth: depth + 1))
            skipSpace()
            switch current {
            case UInt8(ascii: ","): offset += 1
            case UInt8(ascii: "]"):
                offset += 1
                return .array(values)
            default: throw failure("expected ',' or ']'")
            }
        }
    }

    /// A number's digits as one integer; `nil` once they are too many for it.
    private struct Digits {
        var value: UInt64? = 0
        var count = 0

        mutating func append(_ byte: UInt8) {
            count += 1
            guard let value else { return }
            let (product, isTooLarge) = value.multipliedReportingOverflow(by: 10)
            let (sum, isJustTooLarge) = product.addingReportingOverflow(UInt64(byte &- 0x30))
            self.value = isTooLarge || isJustTooLarge ? nil : sum
        }
    }

    private mutating func read(_ digits: inout Digits) -> Int {
        let start = offset
        while let byte = current, byte >= 0x30, byte <= 0x39 {
            digits.append(byte)
            offset += 1
        }
        return offset - start
    }

    private mutating func number() throws(JSONSyntaxError) -> JSONValue {
        let start = offset
        let isNegative = current == UInt8(ascii: "-")
        if isNegative { offset += 1 }
        let leadingZero = current == UInt8(ascii: "0")
        var digits = Digits()
        let count = read(&digits)
        guard count > 0, !leadingZero || count == 1 else { throw failure("malformed number") }
        let integral = digits.value
        var fraction: Int?
        if current == UInt8(ascii: ".") {
            offset += 1
            let count = read(&digits)
            guard count > 0 else { throw failure("malformed number") }
            fraction = count
        }
        var exponent: Int?
        if current == UInt8(ascii: "e") || current == UInt8(ascii: "E") {
            offset += 1
            let isNegative = current == UInt8(ascii: "-")
            if isNegative || current == UInt8(ascii: "+") { offset += 1 }
            var digits = Digits()
            guard read(&digits) > 0 else { throw failure("malformed number") }
            let size = Int(exactly: min(digits.value ?? .max, 1_000_000)) ?? 1_000_000
            exponent = isNegative ? -size : size
        }
        if fraction == nil, exponent == nil, let integral, let integer = Self.integer(integral, isNegative) {
            return .integer(integer)
        }
        if let value = digits.value.flatMap({ Self.exact($0, exponent: (exponent ?? 0) - (fraction ?? 0)) }) {
            return .normalized(isNegative ? -value : value)
        }
        let text = String(decoding: bytes[start..<offset], as: UTF8.self)
        guard let value = Double(text), value.isFinite else { throw failure("number out of range") }
        return .normalized(value)
    }

    private static func integer(_ size: UInt64, _ isNegative: Bool) -> Int64? {
        guard isNegative else { return Int64(exactly: size) }
        return size == UInt64(1) << 63 ? Int64.min : Int64(exactly: size).map { -$0 }
    }

    /// Powers of ten that a `Double` holds exactly.
    private static let powers: [Double] = (0...22).reduce(into: []) { $0.append($1 == 0 ? 1 : $0[$1 - 1] * 10) }

    /// The nearest number, if one operation on two exact ones gives it (Clinger, "How to read floating point numbers
    /// accurately", 1990, §4); `nil` if it takes more.
    private static func exact(_ digits: UInt64, exponent: Int) -> Double? {
        guard digits <= 1 << 53, powers.indices.contains(abs(exponent)) else { return nil }
        return exponent < 0 ? Double(digits) / powers[-exponent] : Double(digits) * powers[exponent]
    }

    private mutating func string() throws(JSONSyntaxError) -> String {
        offset += 1
        /// What stands before the run that is being read; most strings are one run.
        var text: [UInt8] = []
        var start = offset
        while let byte = current {
            switch byte {
            case UInt8(ascii: "\""):
                let run = bytes[start..<offset]
                offset += 1
                let string =
                    text.isEmpty
                    ? String(validating: run, as: UTF8.self) : String(validating: text + run, as: UTF8.self)
                guard let string else { throw failure("not UTF-8") }
                return string
            case UInt8(ascii: "\\"):
                text += bytes[start..<offset]
                offset += 1
                try escape(into: &text)
                start = offset
            case 0..<0x20:
                throw failure("control character in a string")
            default: offset += 1
            }
        }
        throw failure("unterminated string")
    }

    private mutating func escape(into text: inout [UInt8]) throws(JSONSyntaxError) {
        guard let byte = current else { throw failure("unterminated string") }
        offset += 1
        switch byte {
        case UInt8(ascii: "\""), UInt8(ascii: "\\"), UInt8(ascii: "/"): text.append(byte)
        case UInt8(ascii: "b"): text.append(0x08)
        case UInt8(ascii: "f"): text.append(0x0C)
        case UInt8(ascii: "n"): text.append(0x0A)
        case UInt8(ascii: "r"): text.append(0x0D)
        case UInt8(ascii: "t"): text.append(0x09)
        case UInt8(ascii: "u"):
            let first = try hexadecimal()
            var scalar = Unicode.Scalar(first)
            if first & 0xFC00 == 0xD800, current == UInt8(ascii: "\\") {
                offset += 1
                guard current == UInt8(ascii: "u") else { throw failure("lone surrogate") }
                offset += 1
                let second = try hexadecimal()
                guard second & 0xFC00 == 0xDC00 else { throw failure("lone surrogate") }
                scalar = Unicode.Scalar(0x10000 + ((first & 0x3FF) << 10) + (second & 0x3FF))
            }
            guard let scalar else { throw failure("lone surrogate") }
            if let encoded = UTF8.encode(scalar) { text.append(contentsOf: encoded) }
        default: throw failure("unknown escape")
        }
    }

    private mutating func hexadecimal() throws(JSONSyntaxError) -> UInt32 {
        var value: UInt32 = 0
        for _ in 0..<4 {
            guard let digit = current.flatMap(Self.hexDigit) else { throw failure("malformed \\u escape") }
            value = value << 4 | digit
            offset += 1
        }
        return value
    }

    private static func hexDigit(_ byte: UInt8) -> UInt32? {
        switch byte {
        case UInt8(ascii: "0")...UInt8(ascii: "9"): UInt32(byte &- UInt8(ascii: "0"))
        case UInt8(ascii: "a")...UInt8(ascii: "f"): UInt32(byte &- UInt8(ascii: "a") &+ 10)
        case UInt8(ascii: "A")...UInt8(ascii: "F"): UInt32(byte &- UInt8(ascii: "A") &+ 10)
        default: nil
        }
    }
}
