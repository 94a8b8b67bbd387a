/// What the program is called where it was started: `gateway` as it is built, `roundhouse` as packages install it. Usage,
/// completions and complaints name what the reader typed.
enum ProgramName {
    static let current = of(CommandLine.arguments.first)

    /// The last part of a path, if shells can complete it: the start may have been by a name of any letters, or none.
    static func of(_ path: String?) -> String {
        let name = path?.split(separator: "/").last.map(String.init) ?? ""
        let isPlain = name.utf8.allSatisfy {
            switch $0 {
            case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"),
                UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "-"), UInt8(ascii: "_"):
                true
            default: false
            }
        }
        return name.isEmpty || !isPlain ? "gateway" : name
    }
}
