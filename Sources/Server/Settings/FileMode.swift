#if canImport(Glibc)
    import Glibc
#elseif canImport(Musl)
    import Musl
#endif

/// What a file is, how large it is, and what others than its owner may do with it.
struct FileMode {
    private let bits: mode_t
    /// In bytes; of what is no regular file, of no meaning.
    let size: Int

    /// - Returns: `nil` for a file that cannot be looked at.
    init?(of path: String) {
        var status = stat()
        guard stat(path, &status) == 0 else { return nil }
        bits = status.st_mode
        size = Int(status.st_size)
    }

    /// Whether it is a file as most are: no folder, and no device, which may have no end.
    var isRegular: Bool { bits & S_IFMT == S_IFREG }

    /// Whether users who are neither its owner nor of its group may read or write it.
    var isOpenToOthers: Bool { bits & (S_IROTH | S_IWOTH) != 0 }
}
