/// One DTLS 1.2 association (RFC 6347) with the keys it gives SRTP (RFC 5764), without I/O.
///
/// Feed it datagrams and deadlines; after each input poll `pollTransmit` and `pollEvent` until `nil`: then there is
/// nothing new until the next input or `nextDeadline`. Used by one thread at a time.
///
/// ```
/// idle ─start→ handshaking ─Finished (RFC 5246 §7.4.9)→ awaitingFingerprint ─fingerprint matches→ connected
///                  │                                          │                                      │
///                  ├─alert, timeout, violation→ failed ←──────┴─mismatch                             │
///                  └─close()→ closed ←───────────────────────── close() or close_notify ─────────────┘
/// ```
///
/// libssl does the handshake; with Finished a `DTLSRecordLayer` takes its place, unless the suite is none of AEAD, and the
/// `SSL` is freed. libssl measures the retransmission timer with the wall clock; when that is set back the timer only runs
/// late.
// Safe: a record kept from the handshake is read only while its array is held.
final class DTLSConnection {
    /// The longest datagram payload we send, in bytes. Below any path's limit, tunnels included.
    static let defaultMTU = 1200
    /// A handshake whose next retransmission would be this far away has failed.
    private static let longestTimeout = MediaDuration.seconds(30)

    enum State: Equatable {
        case idle, handshaking
        /// With what the peer showed, in DER, until its fingerprint is known.
        case awaitingFingerprint(SRTPKeyingMaterial, peerCertificate: [UInt8])
        case connected, failed, closed
    }

    private(set) var state = State.idle
    /// Until a record layer takes over, or the end.
    private(set) var handshake: DTLSHandshake?
    private var records: DTLSRecordLayer?
    private(set) var remoteFingerprint: DTLSFingerprint?
    private var events: [DTLSEvent] = []
    /// What libssl, or the peer's alert, says of why it failed.
    private(set) var failureDetail: String?
    private var outgoing = DatagramQueue()
    private var deadline: MediaInstant?
    private var ownCounters = DTLSCounters()

    /// - Parameter mtu: the longest datagram payload to send, in bytes, at least 228 (libssl's least).
    init(certificate: DTLSCertificate, mtu: Int = DTLSConnection.defaultMTU) throws(MediaError) {
        handshake = try DTLSHandshake(certificate: certificate, mtu: mtu)
    }

    /// Continues a connection that `snapshot` was taken of. `nil` when its keys are not keys.
    init?(restoring snapshot: Snapshot) {
        state = snapshot.state
        remoteFingerprint = snapshot.remoteFingerprint
        guard let saved = snapshot.records else { return }
        guard let restored = DTLSRecordLayer(restoring: saved) else { return nil }
        records = consume restored
    }

    // MARK: Inputs

    /// Begins the handshake: a client sends its first flight, a server waits. `auto` waits as a server does.
    func start(role: DTLSRole, at now: MediaInstant) {
        guard state == .idle, let handshake else { return }
        state = .handshaking
        events.append(.connecting)
        handshakeAdvanced(handshake.start(isClient: role == .client))
        finishTransition(at: now)
    }

    /// A datagram of the DTLS range (RFC 7983 §7) came from the peer.
    func datagramReceived(_ datagram: UnsafeRawBufferPointer, at now: MediaInstant) {
        // A record's content type is 20…63 on the demultiplexer's scale.
        guard let first = unsafe DTLSRecordHeader(datagram, at: 0), (20...63).contains(first.type),
            unsafe handshake?.hasPlausibleRecords(datagram) != false
        else {
            ownCounters.ignoredDatagrams &+= 1
            return
        }
        switch state {
        case .handshaking:
            if let handshake { unsafe handshakeAdvanced(handshake.datagramReceived(datagram)) }
        case .awaitingFingerprint, .connected:
            unsafe recordsReceived(datagram)
        case .idle, .failed, .closed:
            ownCounters.ignoredDatagrams &+= 1
        }
        finishTransition(at: now)
    }

    /// The peer's fingerprint is known from signaling. May come before, during or after the handshake; the first counts.
    func setRemoteFingerprint(_ fingerprint: DTLSFingerprint) {
        guard remoteFingerprint == nil else { return }
        remoteFingerprint = fingerprint
        judgePeer()
    }

    /// `nextDeadline` has come: sends the flight again if its answer is still missing.
    func deadlineReached(at now: MediaInstant) {
        guard state == .handshaking, let handshake, let deadline, deadline <= now else { return }
        if let step = handshake.retransmit() {
            if step == .waiting { ownCounters.retransmissions &+= 1 }
            handshakeAdvanced(step)
        }
        if MediaDuration.microseconds(Int(handshake.timeoutMicroseconds)) >= Self.longestTimeout { fail(.timedOut) }
        finishTransition(at: now)
    }

    /// Sends application data, such as an SCTP packet, in one record. `false` when the connection is not made, or the data
    /// is longer than a record.
    func send(_ payload: [UInt8]) -> Bool {
        guard state == .connected, payload.count <= DTLSRecordLayer.largestPayload else { return false }
        return records?.write(.applicationData, payload, to: &outgoing) ?? handshake?.write(payload) ?? false
    }

    /// The same, written to where it is sent from, if nothing waits to be sent before it.
    /// - Parameter output: of a datagram's length at least.
    /// - Returns: the record's length; `nil` if `send(_:)` has to do it, or nothing may be sent.
    func seal(_ payload: UnsafeRawBufferPointer, into output: UnsafeMutableRawBufferPointer) -> Int? {
        guard state == .connected, outgoing.isEmpty, handshake?.outgoing.isEmpty != false else { return nil }
        return unsafe records?.seal(payload, into: output)
    }

    /// Ends the association; a made connection says close_notify. Tells no event: the caller knows.
    func close() {
        switch state {
        case .awaitingFingerprint, .connected:
            sendCloseNotify()
            state = .closed
        case .idle, .handshaking:
            state = .closed
        case .failed, .closed:
            return
        }
        deadline = nil
    }

    // MARK: Outputs

    /// Copies the next datagram for the peer. `nil` when there is none.
    /// - Parameter buffer: at least the MTU long.
    func pollTransmit(into buffer: UnsafeMutableRawBufferPointer) -> Int? {
        // What libssl wrote comes before what followed it.
        while let count = unsafe handshake?.outgoing.removeFirst(into: buffer) ?? outgoing.removeFirst(into: buffer) {
            if count > 0 { return count }
            ownCounters.droppedOutgoing &+= 1
        }
        return nil
    }

    /// The next event. `nil` when there is none.
    func pollEvent() -> DTLSEvent? {
        events.isEmpty ? nil : events.removeFirst()
    }

    /// When `deadlineReached` wants to be called; `nil` while no flight waits for an answer.
    var nextDeadline: MediaInstant? { deadline }

    /// Whether everything there was has been polled.
    var isPolled: Bool { events.isEmpty && outgoing.isEmpty && handshake?.outgoing.isEmpty != false }

    /// What the record layer would need to continue elsewhere; `nil` while there is none.
    var recordsSnapshot: DTLSRecordLayer.Snapshot? { records?.snapshot }

    var counters: DTLSCounters {
        var counters = ownCounters
        counters.droppedOutgoing &+= handshake?.droppedOutgoing ?? 0
        counters.records = records?.counters ?? DTLSRecordCounters()
        return counters
    }

    // MARK: The handshake

    private func handshakeAdvanced(_ step: DTLSHandshake.Step) {
        switch step {
        case .waiting: break
        case .finished: handshakeFinished()
        case .failed(let reason): fail(reason)
        }
    }

    private func handshakeFinished() {
        guard let handshake else { return }
        do throws(DTLSFailure) {
            let keys = try handshake.keyingMaterial()
            state = .awaitingFingerprint(keys, peerCertificate: handshake.peerCertificate)
        } catch {
            return refuse(error)
        }
        records = handshake.recordLayer()
        if records != nil { releaseHandshake() }
        judgePeer()
        // What followed the Finished, in the same datagram or overtaking it.
        if records != nil {
            for record in handshake.takeProtectedRecords() {
                unsafe record.withUnsafeBytes { unsafe recordsReceived($0, isHandshakes: true) }
            }
        } else {
            unsafe recordsReceived(nil)
        }
    }

    /// Frees the `SSL`, with what it still had to send kept.
    private func releaseHandshake() {
        guard let handshake else { return }
        ownCounters.droppedOutgoing &+= handshake.droppedOutgoing
        outgoing = handshake.outgoing
        handshake.outgoing = DatagramQueue()
        self.handshake = nil
    }

    /// Compares the peer's certificate with its promised fingerprint as soon as both are known (RFC 8122 §5).
    private func judgePeer() {
        guard case .awaitingFingerprint(let keys, let certificate) = state, let remoteFingerprint else { return }
        guard !certificate.isEmpty else { return refuse(.noPeerCertificate) }
        guard DTLSCertificate.fingerprint(of: certificate, remoteFingerprint.algorithm) == remoteFingerprint else {
            return refuse(.fingerprintMismatch)
        }
        state = .connected
        events.append(.connected(keys))
    }

    // MARK: After the handshake

    /// - Parameter datagram: `nil` for what libssl still has.
    private func recordsReceived(_ datagram: UnsafeRawBufferPointer?, isHandshakes: Bool = false) {
        var received: [DTLSRecordEvent] = []
        var failure: DTLSFailure?
        if records != nil, let datagram = unsafe datagram {
            unsafe records?.datagramReceived(datagram, isHandshakes: isHandshakes, events: &received, output: &outgoing)
        } else {
            failure = unsafe handshake?.drain(datagram, into: &received)
        }
        for event in received where isHandshakeComplete { recordArrived(event) }
        if let failure { fail(failure) }
    }

    private func recordArrived(_ event: DTLSRecordEvent) {
        switch event {
        case .applicationData(let payload) where state == .connected: events.append(.applicationData(payload))
        // Not from somebody who has not shown who it is.
        case .applicationData(let payload): ownCounters.ignoredApplicationBytes &+= UInt64(payload.count)
        case .lastFlightRepeated: ownCounters.retransmissions &+= 1
        case .failed(let alert): fail(.alertReceived, "alert \(alert)")
        case .closed: peerClosed()
        }
    }

    /// Whether the handshake is complete and the association alive.
    private var isHandshakeComplete: Bool {
        switch state {
        case .awaitingFingerprint, .connected: true
        case .idle, .handshaking, .failed, .closed: false
        }
    }

    /// The peer said close_notify, which is answered in kind (RFC 5246 §7.2.1).
    private func peerClosed() {
        sendCloseNotify()
        guard state == .connected else { return fail(.closedByPeer) }
        state = .closed
        events.append(.closed)
    }

    private func sendCloseNotify() {
        guard records != nil else {
            handshake?.sendCloseNotify()
            return
        }
        _ = records?.write(.alert, DTLSAlert.closeNotify.bytes, to: &outgoing)
    }

    // MARK: Failing

    /// Ends a made connection that we do not accept, and tells the peer.
    private func refuse(_ reason: DTLSFailure) {
        sendCloseNotify()
        fail(reason)
    }

    private func fail(_ reason: DTLSFailure, _ problem: String? = nil) {
        guard state != .failed, state != .closed else { return }
        state = .failed
        failureDetail = problem ?? handshake?.problem
        deadline = nil
        events.append(.failed(reason))
    }

    // MARK: The timer

    private func finishTransition(at now: MediaInstant) {
        if state == .failed || state == .closed { releaseHandshake() }
        deadline = state == .handshaking ? handshake?.timeLeft.map { now + .microseconds(Int($0)) } : nil
    }
}
