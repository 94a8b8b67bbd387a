/// What ICE's attributes may hold (RFC 8839 §5.4).
enum ICEAttributes {
    static func checked(_ attribute: SDPAttribute, length: ClosedRange<Int>) throws(SDPError) -> String {
        let value = attribute.value ?? ""
        let isValid = value.utf8.allSatisfy { byte in
            switch byte {
            case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"),
                UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "+"), UInt8(ascii: "/"):
                true
            default: false
            }
        }
        guard isValid, length.contains(value.utf8.count) else {
            throw attribute.failure("not \(length.lowerBound) to \(length.upperBound) letters, digits, + or /")
        }
        return value
    }
}
