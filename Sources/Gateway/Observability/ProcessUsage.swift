import FoundationEssentials

#if canImport(Glibc)
    import Glibc
#elseif canImport(Musl)
    import Musl
#endif

/// What the process takes of the machine, as Prometheus' own clients name it.
struct ProcessUsage {
    /// Of all threads, in user and system mode.
    var cpuSeconds: Double
    /// `nil` without /proc, as below.
    var residentBytes: Int?
    var openDescriptors: Int?
    /// The soft limit.
    var mostDescriptors: Int?

    /// As it is now.
    static func current() -> ProcessUsage {
        var usage = rusage()
        getrusage(__rusage_who_t(RUSAGE_SELF.rawValue), &usage)
        var limit = rlimit()
        let hasLimit = getrlimit(__rlimit_resource_t(RLIMIT_NOFILE.rawValue), &limit) == 0
        return ProcessUsage(
            cpuSeconds: seconds(usage.ru_utime) + seconds(usage.ru_stime), residentBytes: residentBytes(),
            openDescriptors: (try? FileManager.default.contentsOfDirectory(atPath: "/proc/self/fd"))?.count,
            mostDescriptors: hasLimit ? Int(clamping: limit.rlim_cur) : nil)
    }

    private static func seconds(_ time: timeval) -> Double { Double(time.tv_sec) + Double(time.tv_usec) / 1e6 }

    /// The second number of /proc/self/statm (proc(5)), which counts pages.
    private static func residentBytes() -> Int? {
        guard let text = try? String(contentsOfFile: "/proc/self/statm", encoding: .utf8) else { return nil }
        let fields = text.split(separator: " ")
        return fields.count > 1 ? Int(fields[1]).map { $0 * sysconf(CInt(_SC_PAGESIZE)) } : nil
    }
}
