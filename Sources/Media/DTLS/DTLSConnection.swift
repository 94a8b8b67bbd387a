import COpenSSL

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
/// libssl measures the retransmission timer with the wall clock; when that is set back the timer only runs late.
// Safe: `ssl` and its BIO live from init to deinit; the BIO reaches this object unretained, and only from inside calls
// on `ssl` that this object makes.
final class DTLSConnection {
    /// The longest datagram payload we send, in bytes. Below any path's limit, tunnels included.
    static let defaultMTU = 1200
    /// A handshake whose next retransmission would be this far away has failed.
    private static let longestTimeout = MediaDuration.seconds(30)

    private enum State: Equatable {
        case idle, handshaking, awaitingFingerprint(SRTPKeyingMaterial), connected, failed, closed
    }

    /// The `SSL`.
    let ssl: OpaquePointer
    private let certificate: DTLSCertificate
    private var state = State.idle
    private var role = DTLSRole.auto
    private var remoteFingerprint: DTLSFingerprint?
    private var events: [DTLSEvent] = []
    private var deadline: MediaInstant?
    private(set) var counters = DTLSCounters()

    /// The datagram being read, while `datagramReceived` runs. Taken by the BIO's read callback.
    var incoming: UnsafeRawBufferPointer?
    /// The handshake timer's present length in microseconds, kept by the timer callback.
    var timeoutMicroseconds: UInt32 = 0
    private var outgoing = DatagramQueue()

    /// - Parameter mtu: the longest datagram payload to send, in bytes, at least 228 (libssl's least).
    init(certificate: DTLSCertificate, mtu: Int = DTLSConnection.defaultMTU) throws(MediaError) {
        guard let ssl = SSL_new(certificate.context) else { throw MediaError(.system, "libssl is out of memory") }
        guard let bio = BIO_new(certificate.datagramMethod) else {
            SSL_free(ssl)
            throw MediaError(.system, "libssl is out of memory")
        }
        self.ssl = ssl
        self.certificate = certificate
        let unretained = Unmanaged.passUnretained(self).toOpaque()
        BIO_set_data(bio, unretained)
        BIO_set_init(bio, 1)
        SSL_set_bio(ssl, bio, bio)
        SSL_set_ex_data(ssl, 0, unretained)
        DTLS_set_timer_cb(ssl, dtlsNextTimeout)
        _ = rh_SSL_set_mtu(ssl, mtu)
    }

    deinit { SSL_free(ssl) }

    // MARK: Inputs

    /// Begins the handshake: a client sends its first flight, a server waits. `auto` waits as a server does.
    func start(role: DTLSRole, at now: MediaInstant) {
        guard state == .idle else { return }
        self.role = role == .client ? .client : .server
        state = .handshaking
        events.append(.connecting)
        if self.role == .client { SSL_set_connect_state(ssl) } else { SSL_set_accept_state(ssl) }
        advanceHandshake()
        updateDeadline(at: now)
    }

    /// A datagram of the DTLS range (RFC 7983 §7) came from the peer.
    func datagramReceived(_ datagram: UnsafeRawBufferPointer, at now: MediaInstant) {
        // A record's header is 13 bytes, its content type 20…63 on the demultiplexer's scale.
        guard datagram.count >= 13, (20...63).contains(datagram[0]) else {
            counters.ignoredDatagrams &+= 1
            return
        }
        guard hasPlausibleRecords(datagram) else {
            counters.ignoredDatagrams &+= 1
            return
        }
        incoming = datagram
        switch state {
        case .handshaking:
            advanceHandshake()
        case .awaitingFingerprint, .connected:
            drainRecords()
        case .idle, .failed, .closed:
            counters.ignoredDatagrams &+= 1
        }
        incoming = nil
        updateDeadline(at: now)
    }

    /// Whether every protected record is as long as what protects it. libssl 3.0.19 takes a shorter one for a fault of its
    /// own and ends the association, so that anybody who can forge the peer's address could (RFC 6347 §4.1.2.7: such
    /// records are dropped in silence).
    private func hasPlausibleRecords(_ datagram: UnsafeRawBufferPointer) -> Bool {
        let shortest = shortestProtectedRecord
        var offset = 0
        while datagram.count - offset >= 13 {
            let isProtected = datagram.uint16(provenAt: offset + 3) != 0
            let length = Int(datagram.uint16(provenAt: offset + 11))
            if isProtected, length < shortest { return false }
            offset += 13 + length
        }
        return true
    }

    /// What an empty record takes in the negotiated suite: an explicit nonce and a tag, or one block of an IV and at least
    /// two of MAC and padding.
    private var shortestProtectedRecord: Int {
        guard let cipher = SSL_get_current_cipher(ssl) ?? SSL_get_pending_cipher(ssl) else { return 0 }
        switch SSL_CIPHER_get_cipher_nid(cipher) {
        case NID_chacha20_poly1305: return 16
        default: return SSL_CIPHER_is_aead(cipher) == 1 ? 24 : 48
        }
    }

    /// The peer's fingerprint is known from signaling. May come before, during or after the handshake; the first counts.
    func setRemoteFingerprint(_ fingerprint: DTLSFingerprint) {
        guard remoteFingerprint == nil else { return }
        remoteFingerprint = fingerprint
        judgePeer()
    }

    /// `nextDeadline` has come: sends the flight again if its answer is still missing.
    func deadlineReached(at now: MediaInstant) {
        guard state == .handshaking, let deadline, deadline <= now else { return }
        withBuffers {
            let result = rh_DTLSv1_handle_timeout(ssl)
            if result > 0 { counters.retransmissions &+= 1 }
            if result < 0 { fail(.timedOut) }
        }
        if MediaDuration.microseconds(Int(timeoutMicroseconds)) >= Self.longestTimeout { fail(.timedOut) }
        updateDeadline(at: now)
    }

    /// Ends the association; a made connection says close_notify. Tells no event: the caller knows.
    func close() {
        switch state {
        case .awaitingFingerprint, .connected:
            sayGoodbye()
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
        while let count = outgoing.removeFirst(into: buffer) {
            if count > 0 { return count }
            counters.droppedOutgoing &+= 1
        }
        return nil
    }

    /// The next event. `nil` when there is none.
    func pollEvent() -> DTLSEvent? {
        events.isEmpty ? nil : events.removeFirst()
    }

    /// When `deadlineReached` wants to be called; `nil` while no flight waits for an answer.
    var nextDeadline: MediaInstant? { deadline }

    /// The state as mediasoup names it: connected once the fingerprint is judged.
    var publicState: DTLSState {
        switch state {
        case .idle: .new
        case .handshaking, .awaitingFingerprint: .connecting
        case .connected: .connected
        case .failed: .failed
        case .closed: .closed
        }
    }

    // MARK: The handshake

    private func advanceHandshake() {
        withBuffers {
            let result = SSL_do_handshake(ssl)
            if result == 1 {
                handshakeFinished()
                // What follows the Finished in the same datagram.
                if incoming != nil || SSL_has_pending(ssl) == 1 { drainRecords() }
            } else if SSL_get_error(ssl, result) != SSL_ERROR_WANT_READ {
                fail(SSL_get_shutdown(ssl) & SSL_RECEIVED_SHUTDOWN != 0 ? failureOfShutdown() : failureOfQueue())
            }
        }
    }

    private func handshakeFinished() {
        guard let chosen = SSL_get_selected_srtp_profile(ssl), let profile = SRTPProfile(identifier: chosen.pointee.id)
        else { return refuse(.noSRTPProfile) }
        let label = "EXTRACTOR-dtls_srtp"
        var exported = [UInt8](repeating: 0, count: 2 * (profile.keyLength + profile.saltLength))
        guard SSL_export_keying_material(ssl, &exported, exported.count, label, label.utf8.count, nil, 0, 0) == 1,
            let keys = SRTPKeyingMaterial(profile: profile, exported: exported, isClient: role == .client)
        else { return refuse(.internalError) }
        state = .awaitingFingerprint(keys)
        judgePeer()
    }

    /// Compares the peer's certificate with its promised fingerprint as soon as both are known (RFC 8122 §5).
    private func judgePeer() {
        guard case .awaitingFingerprint(let keys) = state, let remoteFingerprint else { return }
        guard let peer = SSL_get1_peer_certificate(ssl) else { return refuse(.noPeerCertificate) }
        defer { X509_free(peer) }
        guard DTLSCertificate.fingerprint(of: peer, remoteFingerprint.algorithm) == remoteFingerprint else {
            return refuse(.fingerprintMismatch)
        }
        state = .connected
        events.append(.connected(keys))
    }

    // MARK: After the handshake

    /// Reads every record of the datagram: alerts, repeated Finished messages, application data.
    private func drainRecords() {
        withBuffers {
            // Safe: the scratch is written by SSL_read within its count, and never read.
            withUnsafeTemporaryAllocation(byteCount: 2048, alignment: 16) { scratch in
                while isMade {
                    let count = SSL_read(ssl, scratch.baseAddress, Int32(truncatingIfNeeded: scratch.count))
                    if count > 0 {
                        counters.ignoredApplicationBytes &+= UInt64(count)
                        continue
                    }
                    let error = SSL_get_error(ssl, count)
                    if SSL_get_shutdown(ssl) & SSL_RECEIVED_SHUTDOWN != 0 {
                        peerClosed()
                    } else if error != SSL_ERROR_WANT_READ {
                        fail(failureOfQueue())
                    }
                    break
                }
            }
        }
    }

    /// Whether the handshake is complete and the association alive.
    private var isMade: Bool {
        switch state {
        case .awaitingFingerprint, .connected: true
        case .idle, .handshaking, .failed, .closed: false
        }
    }

    /// The read side was shut: by a close_notify, or by a fatal alert, after which nothing may be said any more.
    private func peerClosed() {
        let reason = failureOfShutdown()
        guard reason == .closedByPeer else { return fail(reason) }
        sayGoodbye()
        if state == .connected {
            state = .closed
            events.append(.closed)
        } else {
            fail(.closedByPeer)
        }
    }

    private func sayGoodbye() { withBuffers { _ = SSL_shutdown(ssl) } }

    /// Calls libssl with its record buffers in place, 34 KiB that a connection needs only while it is called: neither a
    /// made one nor one that waits for the peer's next flight keeps them.
    private func withBuffers(_ body: () -> Void) {
        ERR_clear_error()
        guard SSL_alloc_buffers(ssl) == 1 else { return fail(.internalError) }
        body()
        // Keeps them by itself as long as something unread is in them.
        _ = SSL_free_buffers(ssl)
        ERR_clear_error()
    }

    // MARK: Failing

    /// Ends a made connection that we do not accept, and tells the peer.
    private func refuse(_ reason: DTLSFailure) {
        sayGoodbye()
        fail(reason)
    }

    private func fail(_ reason: DTLSFailure) {
        guard state != .failed, state != .closed else { return }
        state = .failed
        deadline = nil
        events.append(.failed(reason))
    }

    private func failureOfShutdown() -> DTLSFailure {
        // A fatal alert shuts the read side too, but leaves an error.
        ERR_peek_last_error() == 0 ? .closedByPeer : .alertReceived
    }

    private func failureOfQueue() -> DTLSFailure {
        let code = ERR_peek_last_error()
        if code == 0 { return .protocolViolation }
        let reason = ERR_GET_REASON(code)
        // The reasons of received alerts are the alerts' numbers plus an offset.
        if reason >= SSL_AD_REASON_OFFSET, reason < SSL_AD_REASON_OFFSET + 256 { return .alertReceived }
        if reason == SSL_R_PEER_DID_NOT_RETURN_A_CERTIFICATE { return .noPeerCertificate }
        if reason == ERR_R_MALLOC_FAILURE { return .internalError }
        return .protocolViolation
    }

    // MARK: The timer

    private func updateDeadline(at now: MediaInstant) {
        guard state == .handshaking else {
            deadline = nil
            return
        }
        var left: Int64 = 0
        guard rh_DTLSv1_get_timeout(ssl, &left) == 1 else {
            deadline = nil
            return
        }
        // Never later than one full period, even if the wall clock was set back meanwhile.
        deadline = now + .microseconds(Int(min(left, Int64(timeoutMicroseconds))))
    }

    // MARK: The BIO's side

    /// Queues a datagram that libssl wrote.
    func datagramWritten(_ datagram: UnsafeRawBufferPointer) {
        if !outgoing.append(datagram) { counters.droppedOutgoing &+= 1 }
    }

    /// Hands the datagram being read to libssl, once.
    func takeIncoming(into buffer: UnsafeMutableRawBufferPointer) -> Int? {
        guard let datagram = incoming else { return nil }
        incoming = nil
        let count = min(datagram.count, buffer.count)
        buffer.copyMemory(from: UnsafeRawBufferPointer(rebasing: datagram[..<count]))
        return count
    }
}
