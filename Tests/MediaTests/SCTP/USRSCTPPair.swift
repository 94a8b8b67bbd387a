import CUSRSCTP
import TestSupport

@testable import RoundhouseMedia

/// One of our associations, and one of usrsctp's, and what lies between them, in virtual time.
final class USRSCTPPair {
    let ours: SCTPEndpoint
    private let theirs: OpaquePointer
    /// In thousandths.
    var loss = 0
    var delay: MediaDuration
    private(set) var now = MediaInstant(nanoseconds: 1_000_000_000_000)
    private var random: SplitMix
    private var flights: [(arrival: MediaInstant, isToOurs: Bool, packet: [UInt8])] = []
    /// What usrsctp has received.
    private(set) var received: [SCTPMessage] = []
    private(set) var isUp = false
    private(set) var isDown = false
    /// Streams whose resets it has seen, ours and its own.
    private(set) var incomingResets: [UInt16] = []
    private(set) var outgoingResets: [UInt16] = []

    enum Beginning: CaseIterable { case ours, theirs, both }

    init(loss: Int = 0, delay: MediaDuration = .milliseconds(10), seed: UInt64 = 1) {
        ours = SCTPEndpoint(SCTPSettings(), seed: seed)
        theirs = usrsctp_peer_make(1 << 20)
        self.loss = loss
        self.delay = delay
        random = SplitMix(seed: seed)
    }

    deinit { inTheirTime { usrsctp_peer_close(theirs) } }

    /// usrsctp measures round trips and lifetimes by the wall clock, although its timers are given their time: on a busy
    /// machine the two would run apart.
    private func inTheirTime<Result>(_ body: () -> Result) -> Result {
        WallClock.set(now)
        defer { WallClock.set(nil) }
        return body()
    }

    func connect(_ beginning: Beginning) -> Bool {
        if beginning == .ours {
            guard inTheirTime({ usrsctp_peer_listen(theirs) }) else { return false }
        } else {
            guard inTheirTime({ usrsctp_peer_connect(theirs) }) else { return false }
        }
        if beginning != .theirs { ours.association.connect(at: now) }
        return run(atMost: .seconds(120)) { isUp && ours.association.state == .established }
    }

    /// - Returns: whether ours took the message.
    func sendOurs(_ message: SCTPMessage, _ reliability: SCTPReliability = .reliable) -> Bool {
        ours.association.send(message, reliability: reliability, at: now) == .queued
    }

    func resetOurs(_ stream: UInt16) -> Bool { ours.association.resetStreams([stream], at: now) }

    /// - Returns: whether usrsctp took the message.
    func sendTheirs(
        _ message: SCTPMessage, retransmissions: Int32 = -1, lifetime: Int32 = -1
    ) -> Bool {
        inTheirTime {
            usrsctp_peer_send(
                theirs, message.payload, message.payload.count, message.stream, message.payloadProtocol.rawValue,
                message.isUnordered, retransmissions, lifetime)
        }
    }

    func resetTheirs(_ stream: UInt16) -> Bool { inTheirTime { usrsctp_peer_reset(theirs, stream) } }
    func shutDownTheirs() { inTheirTime { usrsctp_peer_shut_down(theirs) } }

    /// Runs until `isDone`, and no longer than `limit`.
    @discardableResult
    func run(atMost limit: MediaDuration, until isDone: () -> Bool = { false }) -> Bool {
        let end = now + limit
        while now < end {
            if isDone() { return true }
            step()
        }
        return isDone()
    }

    /// usrsctp's clock goes by hundredths of a second.
    private func step() {
        exchange()
        now = now + .milliseconds(10)
        let arrived = flights.filter { $0.arrival <= now }
        flights.removeAll { $0.arrival <= now }
        for flight in arrived {
            if flight.isToOurs {
                ours.receive(flight.packet, at: now)
            } else {
                inTheirTime { usrsctp_peer_receive(theirs, flight.packet, flight.packet.count) }
            }
        }
        if let due = ours.association.nextDeadline, due <= now { ours.association.deadlineReached(now) }
        inTheirTime { usrsctp_peer_elapse(10) }
        exchange()
    }

    private func exchange() {
        for packet in ours.packets(at: now) { carry(packet, isToOurs: false) }
        var buffer = [UInt8](repeating: 0, count: 2048)
        while case let count = usrsctp_peer_packet(theirs, &buffer, buffer.count), count > 0 {
            carry(Array(buffer[..<count]), isToOurs: true)
        }
        var event = usrsctp_peer_event()
        while usrsctp_peer_next(theirs, &event) {
            switch event.kind {
            case USRSCTP_PEER_MESSAGE:
                received.append(
                    SCTPMessage(
                        stream: event.stream, payloadProtocol: PayloadProtocol(rawValue: event.ppid),
                        isUnordered: event.is_unordered,
                        payload: Array(UnsafeBufferPointer(start: event.bytes, count: event.count))))
            case USRSCTP_PEER_UP: isUp = true
            case USRSCTP_PEER_DOWN: isDown = true
            case USRSCTP_PEER_INCOMING_RESET: incomingResets.append(event.stream)
            default: outgoingResets.append(event.stream)
            }
        }
    }

    private func carry(_ packet: [UInt8], isToOurs: Bool) {
        if random.below(1000) < loss { return }
        flights.append((now + delay, isToOurs, packet))
    }
}
