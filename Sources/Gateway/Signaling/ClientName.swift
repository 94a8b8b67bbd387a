/// What of the names that clients choose is taken, at every door.
enum ClientName {
    case room
    case peer

    /// 1 to 64 scalars, none invisible (a name that looks like another is no name). A peer's stands in `a=msid` lines, which
    /// spaces take apart (RFC 8830 §2).
    func admits(_ text: String) -> Bool {
        guard !text.isEmpty, text.unicodeScalars.count <= 64 else { return false }
        return text.unicodeScalars.allSatisfy { scalar in
            switch scalar.properties.generalCategory {
            case .control, .format, .surrogate, .privateUse, .unassigned, .lineSeparator, .paragraphSeparator: false
            case .spaceSeparator: self == .room
            default: true
            }
        }
    }

    /// What a refusal says behind the field's name.
    var rule: String {
        switch self {
        case .room: "has to be 1 to 64 printable characters"
        case .peer: "has to be 1 to 64 printable characters, none of them a space"
        }
    }
}
