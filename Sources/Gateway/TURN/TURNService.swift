import FoundationEssentials
import NIOCore
import RoundhouseMedia
import Synchronization

/// The TURN server of the process: what all its clients' connections share. Safe from any thread.
final class TURNService: Sendable {
    private struct State {
        var server: TURNServer
        var configuration: TURNConfiguration
        var peersReadAt = MediaInstant(nanoseconds: 0)
        /// How the links of a holder's allocations are ended.
        var links: [String: [ObjectIdentifier: @Sendable () -> Void]] = [:]
        /// Where plain clients reach it, in URLs of `turn:`.
        var plainURLs: [String] = []
        var ways: String?
        /// Answers without credentials to addresses over UDP, in this second.
        var challenges: [IPAddressPort: Int] = [:]
        var challengesSince: Int64 = 0
    }

    let relay: MediaRelay
    private let state: Mutex<State>
    /// The media's addresses change with the machine's.
    private static let peersAge = MediaDuration.seconds(1)
    private static let mostChallenged = 10_000

    init(_ configuration: TURNConfiguration, relay: MediaRelay) {
        self.relay = relay
        let secrets = configuration.secrets.isEmpty ? [Secret(Self.random())] : configuration.secrets
        state = Mutex(
            State(
                server: TURNServer(secrets: secrets, nonceKey: Self.random(), seed: .random(in: 0...UInt16.max)),
                configuration: configuration))
    }

    /// 192 random bits.
    private static func random() -> String {
        (0..<3).map { _ in String(UInt64.random(in: 0...UInt64.max), radix: 36) }.joined()
    }

    static var time: TURNSession.Time {
        TURNSession.Time(
            now: MediaInstant(nanoseconds: NIODeadline.now().uptimeNanoseconds),
            unix: Int64(Date().timeIntervalSince1970))
    }

    /// Exchanges secrets and the announced name; what was allocated stays.
    func apply(_ configuration: TURNConfiguration) {
        state.withLock { state in
            state.configuration.announcedAuthority = configuration.announcedAuthority
            if !configuration.secrets.isEmpty { state.server.secrets = configuration.secrets }
        }
    }

    /// It listens on a port of its own.
    func listens(at urls: [String]) { state.withLock { $0.plainURLs = urls } }

    /// Allocations that there are.
    var allocations: Int { state.withLock { $0.server.allocationCount } }

    /// What was counted, in the order of the figures.
    var figures: [UInt64] { state.withLock { state in TURNFigure.allCases.map { state.server.value($0) } } }

    /// Protocols and ports by which it is reached, once they are open.
    var ways: String? { state.withLock { $0.ways } }

    func opened(_ ways: String?) { state.withLock { $0.ways = ways } }

    func count(_ figure: TURNFigure) { state.withLock { $0.server.count(figure) } }

    /// Whether plain connections to the port of HTTP are a balancer's, which speaks TLS with the client.
    var isBehindBalancer: Bool { state.withLock { $0.configuration.announcedAuthority != nil } }

    // MARK: Credentials

    /// What a new session's client gets; `nil` if it can reach no TURN server.
    /// - Parameter authority: host and port by which it came to this server over TLS.
    func servers(reachedBy authority: String?) -> ICEServers? {
        let (announced, plain) = state.withLock { ($0.configuration.announcedAuthority, $0.plainURLs) }
        var urls: [String] = []
        if let host = announced ?? authority, TURNConfiguration.isAuthority(host) {
            urls.append("turns:\(host)\(Self.hasPort(host) ? "" : ":443")?transport=tcp")
        }
        urls += plain
        guard !urls.isEmpty else { return nil }
        let alphabet = Array("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_")
        let holder = String((0..<16).map { _ in alphabet[Int.random(in: 0..<64)] })
        return ICEServers(service: self, holder: holder, urls: urls)
    }

    private static func hasPort(_ authority: String) -> Bool {
        guard let colon = authority.lastIndex(of: ":") else { return false }
        return !authority[colon...].contains("]")
    }

    func credential(for holder: String) -> TURNCredential {
        state.withLock { $0.server.credential(for: holder, at: Self.time.unix) }
    }

    /// A session is over: its allocations end.
    func left(_ holder: String) {
        let links = state.withLock { $0.links.removeValue(forKey: holder) }
        for end in (links ?? [:]).values { end() }
    }

    // MARK: Links

    func received(_ message: [UInt8], in session: inout TURNSession, by link: TURNLink) -> TURNSession.Outcome {
        let time = Self.time
        return state.withLock { state in
            if time.now - state.peersReadAt >= Self.peersAge {
                state.server.peers = relay.peers
                state.peersReadAt = time.now
            }
            let former = session.holder
            let outcome = session.received(message, at: time, &state.server)
            note(session, link, former, &state)
            return outcome
        }
    }

    /// - Returns: whether the session is over.
    func deadlineReached(_ session: inout TURNSession, by link: TURNLink) -> Bool {
        state.withLock { state in
            let former = session.holder
            let isOver = session.deadlineReached(Self.time.now, &state.server)
            note(session, link, former, &state)
            return isOver
        }
    }

    func release(_ session: inout TURNSession, by link: TURNLink) {
        state.withLock { state in
            let former = session.holder
            session.release(Self.time.now, &state.server)
            note(session, link, former, &state)
        }
    }

    private func note(_ session: TURNSession, _ link: TURNLink, _ former: String?, _ state: inout State) {
        guard session.holder != former else { return }
        let id = ObjectIdentifier(link)
        if let former {
            state.links[former]?[id] = nil
            if state.links[former]?.isEmpty == true { state.links[former] = nil }
        }
        if let holder = session.holder { state.links[holder, default: [:]][id] = link.remoteEnd }
    }

    /// Whether one more message without an allocation is answered that came over UDP from an address that may be forged.
    func mayAnswer(_ client: IPAddressPort) -> Bool {
        let second = Self.time.unix
        return state.withLock { state in
            if state.challengesSince != second {
                state.challenges.removeAll(keepingCapacity: true)
                state.challengesSince = second
            }
            let host = client.host
            let count = state.challenges[host, default: 0]
            guard count < TURNLimits.challengesPerSecond, count > 0 || state.challenges.count < Self.mostChallenged
            else {
                state.server.count(.challengesLimited)
                return false
            }
            state.challenges[host] = count + 1
            return true
        }
    }
}
