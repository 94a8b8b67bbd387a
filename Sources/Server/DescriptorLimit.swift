#if canImport(Glibc)
    import Glibc
#elseif canImport(Musl)
    import Musl
#endif

/// Every client takes a descriptor, and many systems start a process with 1024 of a million it may have.
enum DescriptorLimit {
    /// Raises the limit as far as it goes.
    /// - Returns: how many there may be.
    /// - Throws: if it is too low for the server's own threads: swift-nio would end the process by a trap.
    @discardableResult
    static func raise(mediaThreads: Int?) throws(StartError) -> Int {
        var limit = rlimit()
        guard getrlimit(__rlimit_resource_t(RLIMIT_NOFILE.rawValue), &limit) == 0 else { return .max }
        let cores = max(sysconf(CInt(_SC_NPROCESSORS_ONLN)), 1)
        // A network thread has three descriptors, a media thread a socket for each address and three more.
        let needed = rlim_t(32 + 4 * cores + 4 * (mediaThreads ?? cores))
        guard limit.rlim_max >= needed else {
            throw StartError(
                "\(limit.rlim_max) open files are too few, the server needs \(needed) and one for each client: "
                    + "raise the limit (ulimit -n)")
        }
        let former = limit.rlim_cur
        limit.rlim_cur = limit.rlim_max
        // Refused in some sandboxes: the server then runs with what it has.
        let isRaised = setrlimit(__rlimit_resource_t(RLIMIT_NOFILE.rawValue), &limit) == 0
        return Int(clamping: isRaised ? limit.rlim_max : former)
    }
}
