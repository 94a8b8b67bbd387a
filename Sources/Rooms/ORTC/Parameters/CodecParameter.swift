/// A value of a codec's or header extension's parameters: a string or a number.
public enum CodecParameter: Sendable, Hashable {
    case string(String)
    case integer(Int)
    case number(Double)

    /// The value as text; a profile-level-id of digits only comes as a number from SDP parsers.
    var text: String {
        switch self {
        case .string(let text): text
        case .integer(let number): String(number)
        case .number(let number): String(number)
        }
    }

    /// The value as a whole number, also if a client sent its digits as a string.
    var integerValue: Int? {
        switch self {
        case .string(let text): Int(text)
        case .integer(let number): number
        case .number: nil
        }
    }
}
