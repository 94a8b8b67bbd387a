import NIOCore
import RoundhouseRooms
import Synchronization

/// Lets one client's messages in: charges each before it is read, has it wait if the client sends too much, and lets
/// others have their turn if the client sends without a pause.
final class SignalingIntake: Sendable {
    private struct State {
        var allowance: SignalingAllowance
        /// Bytes let in since others had their turn.
        var turn = 0
        /// Whether the latest message was more than the client may send.
        var isTooFast = false
    }

    /// A client whose messages wait gives up its thread after as many bytes. (Taking from a queue that is never empty does
    /// not suspend.)
    private static let turnBytes = 8192

    private let state: Mutex<State>
    private let counters: GatewayCounters

    init(limits: GatewayLimits, counters: GatewayCounters, now: NIODeadline = .now()) {
        self.counters = counters
        let rates = SignalingAllowance.Rates(
            messagesPerSecond: limits.messagesPerSecond, messageBytes: limits.messageBytes)
        state = Mutex(State(allowance: SignalingAllowance(rates, now: now)))
    }

    var messageRate: RateLimit { state.withLock { $0.allowance.rates.messages } }

    /// A message has come by a connection that can be left unread: returns when the message may be read.
    func admit(bytes: Int) async -> SignalingAllowance.Charge {
        let charge = state.withLock { state in
            let charge = state.allowance.messageReceived(bytes: bytes, now: .now())
            state.isTooFast = !charge.isWithinRate
            return charge
        }
        await wait(charge.delay, .messageBytes)
        await takeTurn(charge.bytes)
        return charge
    }

    /// The same for bytes that carry several messages.
    func admitBytes(_ count: Int) async {
        let delay = state.withLock { state in
            state.isTooFast = false
            return state.allowance.bytesReceived(count, now: .now())
        }
        await wait(delay, .messageBytes)
        await takeTurn(count + SignalingAllowance.overhead)
    }

    /// One of several messages whose bytes were let in.
    /// - Returns: whether the client may send it.
    func admitOne(bytes: Int) async -> Bool {
        await takeTurn(bytes)
        return state.withLock { state in
            let isAllowed = state.allowance.oneMoreMessage(now: .now())
            state.isTooFast = !isAllowed
            return isAllowed
        }
    }

    /// A message that can be refused, rather than wait.
    /// - Throws: `RoomError` with code `rateLimited`.
    @discardableResult
    func admitOrRefuse(bytes: Int) throws(RoomError) -> SignalingAllowance.Charge {
        let (charge, rates) = state.withLock { state in
            let charge = state.allowance.messageReceived(bytes: bytes, now: .now())
            if !charge.isWithinRate || charge.delay > .zero { state.allowance.giveBackBytes(of: charge) }
            return (charge, state.allowance.rates)
        }
        guard charge.isWithinRate else {
            counters.limited(.messageRate)
            throw .tooFast(rates.messages)
        }
        guard charge.delay <= .zero else {
            counters.limited(.messageBytes)
            throw RoomError(.rateLimited, "more than \(rates.bytes.perSecond) bytes a second: ask again later")
        }
        return charge
    }

    /// Whether the latest message was refused or had to wait. Once such a client's connection is gone, the messages left are
    /// dropped: carrying them out at the client's rate can take minutes and would hold up a server that stops.
    var isTooFast: Bool { state.withLock { $0.isTooFast } }

    /// A request was answered: what the answer has beyond twice the request's bytes is charged, and the next one waits for it.
    func answered(bytes: Int, to request: Int) {
        state.withLock { $0.allowance.answered(bytes: bytes, to: request, now: .now()) }
    }

    func giveBack(_ charge: SignalingAllowance.Charge) { state.withLock { $0.allowance.giveBack(charge) } }

    /// Delays a message that is beyond the rate and cannot be refused with an error.
    func holdBack() async {
        let delay = state.withLock { $0.allowance.messageHeldBack(now: .now()) }
        await wait(delay, .messageRate)
    }

    /// Delays a change that everybody in the room is notified of, if there were many.
    func holdBackChange() async {
        let delay = state.withLock { $0.allowance.changeRequested(now: .now()) }
        await wait(delay, .changes)
    }

    /// Refuses a change that everybody in the room is notified of, if there were many.
    /// - Throws: `RoomError` with code `rateLimited`.
    func refuseChange() throws(RoomError) {
        let (isAllowed, rate) = state.withLock { ($0.allowance.oneMoreChange(now: .now()), $0.allowance.rates.changes) }
        guard !isAllowed else { return }
        counters.limited(.changes)
        throw RoomError(.rateLimited, "more than \(rate.perSecond) changes a second: ask again later")
    }

    /// - Returns: whether the client has sent as many messages that are none as it may.
    func faultReceived() -> Bool {
        guard state.withLock({ $0.allowance.faultReceived(now: .now()) }) else { return false }
        counters.limited(.faults)
        return true
    }

    private func wait(_ delay: TimeAmount, _ limit: GatewayLimit) async {
        guard delay > .zero else { return }
        counters.limited(limit)
        state.withLock { $0.isTooFast = true }
        try? await Task.sleep(for: .nanoseconds(delay.nanoseconds))
    }

    private func takeTurn(_ bytes: Int) async {
        let isOver = state.withLock { state in
            state.turn += bytes
            guard state.turn >= Self.turnBytes else { return false }
            state.turn = 0
            return true
        }
        if isOver { await Task.yield() }
    }
}
