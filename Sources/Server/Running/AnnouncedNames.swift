import Dispatch
import Logging
import RoundhouseMedia
import Synchronization

#if canImport(Glibc)
    import Glibc
#elseif canImport(Musl)
    import Musl
#endif

/// Looks announced host names up, at the start and once a minute: not every client can, and an address behind a name
/// changes (a dynamic one, a machine that was replaced).
final class AnnouncedNames: Sendable {
    private struct State {
        /// By name: what was found last.
        var found: [String: [String]] = [:]
        /// Names of which it has been said that they have no address.
        var complained: Set<String> = []
        var announced: [AnnouncedAddress]
    }

    private static let interval = Duration.seconds(60)
    /// Some names stand for a crowd of machines; a client tries each candidate.
    private static let mostAddresses = 8

    private let given: [AnnouncedAddress]
    private let resolve: @Sendable (String) -> Result<[String], Problem>
    private let announce: @Sendable ([AnnouncedAddress]) -> Void
    private let logger: Logger
    private let state: Mutex<State>
    private let queue = DispatchQueue(label: "names")

    /// What the resolver says.
    struct Problem: Error {
        var text: String
    }

    /// - Parameters:
    ///   - given: as the operator wrote them: names and addresses.
    ///   - resolve: finds a name's addresses; may block.
    ///   - announce: called with what clients are to get, whenever it has changed.
    init(
        _ given: [AnnouncedAddress], _ logger: Logger,
        resolve: @escaping @Sendable (String) -> Result<[String], Problem> = AnnouncedNames.addresses,
        announce: @escaping @Sendable ([AnnouncedAddress]) -> Void
    ) {
        self.given = given
        self.resolve = resolve
        self.announce = announce
        self.logger = logger
        state = Mutex(State(announced: given))
    }

    /// Looks again and again until the task is canceled, if there are names.
    func run() async {
        guard given.contains(where: \.isName) else { return }
        repeat {
            // A name server may take its time: not on a thread that others wait for.
            await withCheckedContinuation { done in
                queue.async { [self] in
                    look()
                    done.resume()
                }
            }
        } while (try? await Task.sleep(for: Self.interval)) != nil
    }

    /// Looks once. A name of which nothing is found keeps what it had; one that never had any is announced as it is, since
    /// some clients look names up themselves.
    func look() {
        let names = given.filter(\.isName).map(\.text)
        for name in names {
            let answer = resolve(name)
            state.withLock { state in
                switch answer {
                case .success(let addresses) where !addresses.isEmpty:
                    state.found[name] = Array(addresses.prefix(Self.mostAddresses))
                    state.complained.remove(name)
                case .success: complain(name, "no address", &state)
                case .failure(let problem): complain(name, problem.text, &state)
                }
            }
        }
        let changed: [AnnouncedAddress]? = state.withLock { state in
            var announced: [AnnouncedAddress] = []
            for one in given {
                for address in state.found[one.text]?.compactMap(one.resolved(to:)) ?? [one]
                where !announced.contains(address) { announced.append(address) }
            }
            guard announced != state.announced else { return nil }
            state.announced = announced
            return announced
        }
        guard let changed else { return }
        logger.notice(
            "announced host names were looked up",
            metadata: ["announced": "\(changed.map(\.text).joined(separator: ", "))"])
        announce(changed)
    }

    private func complain(_ name: String, _ problem: String, _ state: inout State) {
        guard state.complained.insert(name).inserted else { return }
        let consequence =
            state.found[name].map { "clients get what it had: \($0.joined(separator: ", "))" }
            ?? "clients that find none either get no media"
        logger.warning(
            "--announced-address: the host name has no address here: \(consequence)",
            metadata: ["name": "\(name)", "error": "\(problem)"])
    }

    // Safe: the resolver's list is read until it is freed, in the order of its links; `getnameinfo` writes at most as many
    // bytes as it is given, with a zero at the end.

    /// A name's addresses as the system's resolver orders them. Blocks.
    static func addresses(of name: String) -> Result<[String], Problem> {
        var hints = addrinfo()
        hints.ai_socktype = Int32(SOCK_DGRAM.rawValue)
        var found: UnsafeMutablePointer<addrinfo>?
        let code = getaddrinfo(name, nil, &hints, &found)
        guard code == 0 else { return .failure(Problem(text: String(cString: gai_strerror(code)))) }
        defer { freeaddrinfo(found) }
        var addresses: [String] = []
        var next = found
        while let entry = next?.pointee {
            next = entry.ai_next
            var text = [CChar](repeating: 0, count: Int(NI_MAXHOST))
            let result = getnameinfo(
                entry.ai_addr, entry.ai_addrlen, &text, socklen_t(text.count), nil, 0, NI_NUMERICHOST)
            guard result == 0 else { continue }
            let address = String(decoding: text.prefix { $0 != 0 }.map(UInt8.init(bitPattern:)), as: UTF8.self)
            if !addresses.contains(address) { addresses.append(address) }
        }
        return .success(addresses)
    }
}
