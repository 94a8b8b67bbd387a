#if canImport(Glibc)
    import Glibc
#elseif canImport(Musl)
    import Musl
#endif

/// What others than its owner may do with a file.
struct FileMode {
    private let bits: mode_t

    /// - Returns: `nil` for a file that cannot be looked at.
    init?(of path: String) {
        var status = stat()
        guard stat(path, &status) == 0 else { return nil }
        bits = status.st_mode
    }

    /// Whether users who are neither its owner nor of its group may read or write it.
    var isOpenToOthers: Bool { bits & (S_IROTH | S_IWOTH) != 0 }
}
