import Dispatch
import Logging
import RoundhouseMedia

#if canImport(Glibc)
    import Glibc
#elseif canImport(Musl)
    import Musl
#endif

/// Looks announced host names up once, so that a mistyped one is noticed here and not by each client in silence.
enum AnnouncedNames {
    /// Warns of those that have no address. Returns at once: a name server may take its time.
    static func look(_ names: [String], _ logger: Logger) {
        guard !names.isEmpty else { return }
        DispatchQueue(label: "names").async {
            for name in names {
                guard let problem = problem(of: name) else { continue }
                logger.warning(
                    "--announced-address: the host name has no address here: clients that find none either get no media",
                    metadata: ["name": "\(name)", "error": "\(problem)"])
            }
        }
    }

    // Safe: the resolver's list is freed where it was asked for, and nothing of it is read.

    /// What the resolver says; `nil` if the name has an address. Blocks.
    static func problem(of name: String) -> String? {
        var hints = addrinfo()
        hints.ai_socktype = Int32(SOCK_DGRAM.rawValue)
        var found: UnsafeMutablePointer<addrinfo>?
        let code = getaddrinfo(name, nil, &hints, &found)
        guard code == 0 else { return String(cString: gai_strerror(code)) }
        freeaddrinfo(found)
        return nil
    }
}
