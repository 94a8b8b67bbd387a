import COpenSSL

/// Why libssl could not do something, in its own words.
struct TLSProblem: Error, Equatable, CustomStringConvertible {
    let description: String

    init(_ description: String) { self.description = description }

    /// The first error that this thread's last calls of libssl noted, which is the cause of those after it; empties the list.
    /// - Parameter fallback: what is wrong if libssl has no words for it.
    static func noted(_ fallback: String) -> TLSProblem {
        let code = ERR_get_error()
        ERR_clear_error()
        return TLSProblem(ERR_reason_error_string(code).map { String(cString: $0) } ?? fallback)
    }
}
