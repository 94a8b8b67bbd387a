import HTTPTypes
import Logging
import NIOCore
import RoundhouseRooms
import Synchronization

/// Keeps account of what every client takes, by its address, whatever door it comes by: connections, sessions, names, requests,
/// bytes, and tries at tokens and passwords. An IPv6 address counts with its network of 64 bits.
///
/// Nothing goes past it: the router charges a request before it looks for who answers it, whatever lives on without a connection
/// is made with a lease, and tokens and passwords are compared only after it was asked. What one client sends by its own
/// session is `SignalingIntake`'s account. Safe from any thread.
final class Accountant: Sendable {
    private struct State {
        var configuration: AccessConfiguration
        var limits: GatewayLimits
        var addresses: AddressLimiter
        var memory: [ClientAddress: WeakMemoryAccount] = [:]
        /// The size of `memory` at which those that are gone are looked for.
        var memorySweep = 1024
        /// Whether a proxy that hides its clients was logged since the settings were read.
        var hasWarnedOfProxy = false

        init(_ configuration: AccessConfiguration, _ limits: GatewayLimits) {
            self.configuration = configuration
            self.limits = limits
            addresses = AddressLimiter(rates: Accountant.rates(limits))
        }

        func isUnlimited(_ address: ClientAddress) -> Bool {
            configuration.unlimitedAddresses.contains { $0.contains(address) }
        }

        func isTrustedProxy(_ address: ClientAddress) -> Bool {
            configuration.trustedProxies.contains { $0.contains(address) }
        }

        /// The address that a client's doings are charged to; `nil` for who may do as much as it likes. This machine's own
        /// programs may, and whoever comes through a proxy on it is none of them.
        func charged(_ origin: ClientOrigin) -> ClientAddress? {
            guard let address = origin.address else { return nil }
            let isOwn = !address.isLoopback || origin.forwarding == .none
            guard isUnlimited(address), isOwn, origin.forwarding != .byUnknownProxy else { return address.counted }
            return nil
        }

        /// Returned once: what to log about a request whose client cannot be distinguished from the other clients of its proxy.
        mutating func warning(of origin: ClientOrigin) -> Logger.Message? {
            guard !hasWarnedOfProxy, let address = origin.address else { return nil }
            switch origin.forwarding {
            case .byUnknownProxy where isUnlimited(address):
                hasWarnedOfProxy = true
                return """
                    requests come through a proxy at \(address) that --trusted-proxy does not name: all its clients share the \
                    limits of one address; give --trusted-proxy \(address)
                    """
            case .none where isTrustedProxy(address) && !isUnlimited(address):
                hasWarnedOfProxy = true
                return """
                    the trusted proxy at \(address) sends requests without X-Forwarded-For: all its clients share the limits \
                    of one address; let it set that field
                    """
            default: return nil
            }
        }
    }

    private let state: Mutex<State>
    /// For every address that is not without limits.
    private let memoryLimit: MemoryLimit
    private let counters: GatewayCounters
    private let audit: AuditLog
    private let logger: Logger

    init(limits: GatewayLimits, counters: GatewayCounters, audit: AuditLog, logger: Logger) {
        self.counters = counters
        self.audit = audit
        self.logger = logger
        memoryLimit = MemoryLimit(limits.memoryPerAddress)
        state = Mutex(State(AccessConfiguration(), limits))
    }

    /// Exchanges the limits; what is held is kept.
    func apply(_ configuration: AccessConfiguration, limits: GatewayLimits) {
        state.withLock { state in
            state.configuration = configuration
            state.limits = limits
            state.addresses.rates = Self.rates(limits)
            state.hasWarnedOfProxy = false
        }
        memoryLimit.bytes = limits.memoryPerAddress
    }

    /// For what begins now.
    var limits: GatewayLimits { state.withLock { $0.limits } }

    /// Whose bytes an address may send, as many times over: as many clients as may well share it.
    private static let clientsOfAddress = 8
    /// How many times that an address sends whose bodies are never refused.
    private static let unlimitedTimes = 4

    private static func rates(_ limits: GatewayLimits) -> [ClientCharge: RateLimit] {
        let client = SignalingAllowance.Rates(
            messagesPerSecond: limits.messagesPerSecond, messageBytes: limits.messageBytes)
        return [
            .requests: RateLimit(perSecond: limits.requestsPerSecond),
            .bodies: RateLimit(
                perSecond: client.bytes.perSecond.multipliedReportingOverflow(by: clientsOfAddress).partialValue),
            .tokens: RateLimit(perSecond: limits.failedTokensPerSecond),
            .passwords: RateLimit(perSecond: limits.failedPasswordsPerSecond),
        ]
    }

    // MARK: The client

    /// The client behind a connection: what the last trusted proxy says, or the connection's own address.
    /// - Parameter remote: the connection's other end.
    func origin(of remote: ClientAddress?, _ fields: HTTPFields) -> ClientOrigin {
        let isForwarded = fields[.forwardedFor] != nil || fields[.forwarded] != nil
        guard let remote else { return ClientOrigin(forwarding: isForwarded ? .byUnknownProxy : .none) }
        let proxies = state.withLock { $0.configuration.trustedProxies }
        guard proxies.contains(where: { $0.contains(remote) }) else {
            return ClientOrigin(address: remote, forwarding: isForwarded ? .byUnknownProxy : .none)
        }
        // From the nearest hop on: what stands before the first stranger, that stranger could have invented.
        let hops = fields[values: .forwardedFor].flatMap { $0.split(separator: ",") }.suffix(32)
        var client = remote
        for hop in hops.reversed() {
            guard let address = ClientAddress(parsing: String(hop.trimmed)) else { break }
            client = address
            if !proxies.contains(where: { $0.contains(address) }) { break }
        }
        return ClientOrigin(address: client, forwarding: isForwarded ? .byTrustedProxy : .none)
    }

    // MARK: Requests

    /// Takes one request from what an address may ask in a second.
    /// - Returns: `nil`, or the seconds after which it may ask again.
    func requestReceived(from origin: ClientOrigin) -> Int? {
        let (wait, warning) = state.withLock { state -> (Int?, Logger.Message?) in
            let warning = state.warning(of: origin)
            guard let address = state.charged(origin) else { return (nil, warning) }
            return (state.addresses.take(.requests, address, now: .now()), warning)
        }
        if let warning { logger.warning(warning) }
        if wait != nil { counters.limited(.requestRate) }
        return wait
    }

    /// Takes a request's body from the bytes that an address may send, before anything of it is read.
    func bodyReceived(bytes: Int, from origin: ClientOrigin) -> BodyAdmission {
        guard bytes > 0, let address = origin.address else { return .now }
        let admission: BodyAdmission = state.withLock { state in
            guard let charged = state.charged(origin) else {
                let delay = state.addresses.borrow(
                    .bodies, bytes, address.counted, times: Self.unlimitedTimes, now: .now())
                return delay > .zero ? .after(delay) : .now
            }
            return state.addresses.take(.bodies, upTo: bytes, charged, now: .now()).map { .refused(seconds: $0) }
                ?? .now
        }
        if admission != .now { counters.limited(.messageBytes) }
        return admission
    }

    // MARK: Memory

    /// The account of what a client's address has in the server's buffers, the same for all its clients.
    func memory(of origin: ClientOrigin) -> MemoryAccount {
        state.withLock { state in
            guard let address = state.charged(origin) else { return MemoryAccount(limit: .none) {} }
            if let account = state.memory[address]?.account { return account }
            if state.memory.count >= state.memorySweep {
                state.memory = state.memory.filter { $0.value.account != nil }
                state.memorySweep = max(1024, state.memory.count * 2)
            }
            let account = MemoryAccount(limit: memoryLimit) { [counters, audit] in
                counters.limited(.memoryPerAddress)
                audit.refused(.outOfMemory, by: "memory", from: origin)
            }
            state.memory[address] = WeakMemoryAccount(account: account)
            return account
        }
    }

    // MARK: Holdings

    /// Counts a connection of an address.
    /// - Returns: `nil` if it has too many.
    func connectionOpened(from address: ClientAddress?) -> HoldingLease? {
        guard let address else { return HoldingLease {} }
        let isTaken = state.withLock { state in
            // Counted even if unlimited, so that it can be uncounted after the ranges were exchanged.
            // A proxy's own connections are its clients'.
            let isUnlimited = state.isUnlimited(address) || state.isTrustedProxy(address)
            return state.addresses.hold(
                .connection, address.counted, limit: isUnlimited ? .max : state.limits.connectionsPerAddress)
        }
        return isTaken ? lease(.connection, address.counted) : nil
    }

    /// Counts what a client is about to have.
    /// - Throws: `RoomError` with code `limitReached` if its address has too many.
    func hold(_ holding: ClientHolding, for origin: ClientOrigin) throws(RoomError) -> HoldingLease {
        guard let address = origin.address?.counted else { return HoldingLease {} }
        let limit: Int? = state.withLock { state in
            let limit = state.charged(origin) == nil ? .max : state.limits.held(holding)
            return state.addresses.hold(holding, address, limit: limit) ? nil : limit
        }
        guard let limit else { return lease(holding, address) }
        counters.limited(holding.limit)
        throw RoomError(
            .limitReached, "this address has \(limit) \(holding == .roomName ? "unused names" : "sessions"): end some")
    }

    private func lease(_ holding: ClientHolding, _ address: ClientAddress) -> HoldingLease {
        HoldingLease { [weak self] in self?.state.withLock { $0.addresses.release(holding, address) } }
    }

    // MARK: Tokens and passwords

    /// Asked before a token is looked at, which may be a guess.
    /// - Throws: `RoomError` with code `rateLimited` after too many that were none.
    func mayShowToken(_ origin: ClientOrigin) throws(RoomError) {
        let wait: Int? = state.withLock { state in
            state.charged(origin).flatMap { state.addresses.wait(.tokens, $0, now: .now()) }
        }
        if let wait { throw tooManyFailures("tokens", wait) }
    }

    func tokenFailed(_ origin: ClientOrigin) {
        state.withLock { state in
            guard let address = state.charged(origin) else { return }
            _ = state.addresses.take(.tokens, address, now: .now())
        }
    }

    /// Asked before a password is compared; charged as wrong until `passwordWasRight`, so that tries side by side count, too.
    /// - Throws: `RoomError` with code `rateLimited` after too many that were wrong.
    func passwordTried(_ origin: ClientOrigin) throws(RoomError) {
        let wait: Int? = state.withLock { state in
            state.charged(origin).flatMap { state.addresses.take(.passwords, $0, now: .now()) }
        }
        if let wait { throw tooManyFailures("passwords", wait) }
    }

    func passwordWasRight(_ origin: ClientOrigin) {
        state.withLock { state in
            if let address = state.charged(origin) { state.addresses.giveBack(.passwords, address) }
        }
    }

    /// Does something that compares a password, if there is one.
    func guessing<Value>(
        _ needsPassword: Bool, from origin: ClientOrigin, _ work: () async throws(RoomError) -> Value
    ) async throws(RoomError) -> Value {
        guard needsPassword else { return try await work() }
        try passwordTried(origin)
        do throws(RoomError) {
            let value = try await work()
            passwordWasRight(origin)
            return value
        } catch {
            if error.code != .wrongPassword { passwordWasRight(origin) }
            throw error
        }
    }

    private func tooManyFailures(_ what: String, _ seconds: Int) -> RoomError {
        counters.limited(.failures)
        return RoomError(.rateLimited, "too many wrong \(what) from this address: try again in \(seconds) s")
    }
}

/// Accounts live as long as loans do.
private struct WeakMemoryAccount {
    weak var account: MemoryAccount?
}

extension RoomError {
    /// The client's address has as many bytes in the server as it may.
    static let outOfMemory = RoomError(
        .limitReached, "this address has too many bytes in the server: read what waits, and send less at a time")
}

extension GatewayLimits {
    /// How much of it one address may have.
    fileprivate func held(_ holding: ClientHolding) -> Int {
        switch holding {
        // A session's connection may come and go.
        case .connection, .session: connectionsPerAddress
        case .roomName: roomNamesPerAddress
        }
    }
}
