/// Rates as people read them.
enum Rate {
    /// - Parameter bits: per second.
    static func text(_ bits: UInt64) -> String {
        guard bits >= 999_500 else { return "\((bits + 500) / 1000) kb/s" }
        let hundredths = (bits + 5_000) / 10_000
        let rest = hundredths % 100
        return "\(hundredths / 100).\(rest < 10 ? "0" : "")\(rest) Mb/s"
    }
}
