import COpenSSL

/// libssl's part of an association: the handshake (RFC 6347 §4.2), and what follows it where the suite is not an AEAD one.
/// Everywhere else it is let go as soon as `recordLayer` has taken over.
// Safe: `ssl` and its BIO live from init to deinit; the BIO reaches this object unretained, and only from inside calls
// on `ssl` that this object makes.
@safe final class DTLSHandshake {
    enum Step: Equatable { case waiting, finished, failed(DTLSFailure) }

    /// The `SSL`.
    let ssl: OpaquePointer
    private let certificate: DTLSCertificate
    private var isClient = false
    private var trace = DTLSRecordTrace()
    /// The datagram being read, while `datagramReceived` runs. Taken by the BIO's read callback.
    private var incoming: UnsafeRawBufferPointer?
    /// The handshake timer's present length in microseconds, kept by the timer callback.
    var timeoutMicroseconds: UInt32 = 0
    /// What is to be sent.
    var outgoing = DatagramQueue()
    /// Datagrams dropped because nobody took them.
    private(set) var droppedOutgoing: UInt64 = 0
    /// What libssl says of its last failure.
    private(set) var problem: String?

    /// - Parameter mtu: the longest datagram payload to send, in bytes, at least 228 (libssl's least).
    init(certificate: DTLSCertificate, mtu: Int) throws(MediaError) {
        guard let ssl = unsafe SSL_new(certificate.context) else {
            throw MediaError(.system, "libssl is out of memory")
        }
        guard let bio = unsafe BIO_new(certificate.datagramMethod) else {
            unsafe SSL_free(ssl)
            throw MediaError(.system, "libssl is out of memory")
        }
        unsafe self.ssl = ssl
        self.certificate = certificate
        let unretained = unsafe Unmanaged.passUnretained(self).toOpaque()
        unsafe BIO_set_data(bio, unretained)
        unsafe BIO_set_init(bio, 1)
        unsafe SSL_set_bio(ssl, bio, bio)
        unsafe SSL_set_ex_data(ssl, 0, unretained)
        unsafe DTLS_set_timer_cb(ssl, dtlsNextTimeout)
        _ = unsafe rh_SSL_set_mtu(ssl, mtu)
    }

    deinit { unsafe SSL_free(ssl) }

    // MARK: Until Finished

    /// A client sends its first flight, a server waits.
    func start(isClient: Bool) -> Step {
        self.isClient = isClient
        if isClient { unsafe SSL_set_connect_state(ssl) } else { unsafe SSL_set_accept_state(ssl) }
        return advance()
    }

    /// A datagram for the handshake.
    func datagramReceived(_ datagram: UnsafeRawBufferPointer) -> Step {
        unsafe trace.arrived(datagram)
        unsafe incoming = datagram
        defer { unsafe incoming = nil }
        return advance()
    }

    /// The timer has run out: sends the flight again. `nil` when it had not.
    func retransmit() -> Step? {
        withBuffers(orElse: .failed(.internalError)) {
            let result = unsafe rh_DTLSv1_handle_timeout(ssl)
            return result < 0 ? .failed(.timedOut) : result > 0 ? .waiting : nil
        }
    }

    private func advance() -> Step {
        withBuffers(orElse: .failed(.internalError)) {
            let result = unsafe SSL_do_handshake(ssl)
            if result == 1 { return .finished }
            if unsafe SSL_get_error(ssl, result) == SSL_ERROR_WANT_READ { return .waiting }
            return unsafe .failed(
                SSL_get_shutdown(ssl) & SSL_RECEIVED_SHUTDOWN != 0 ? failureOfShutdown() : failureOfQueue())
        }
    }

    /// The microseconds until the flight has to be sent again; `nil` while none waits for an answer.
    var timeLeft: Int64? {
        var left: Int64 = 0
        guard unsafe rh_DTLSv1_get_timeout(ssl, &left) == 1 else { return nil }
        // Never later than one full period, even if the wall clock was set back meanwhile.
        return min(left, Int64(timeoutMicroseconds))
    }

    // MARK: What it agreed on

    /// The keys for SRTP (RFC 5764 §4.2).
    func keyingMaterial() throws(DTLSFailure) -> SRTPKeyingMaterial {
        guard let chosen = unsafe SSL_get_selected_srtp_profile(ssl),
            let profile = unsafe SRTPProfile(identifier: chosen.pointee.id)
        else { throw .noSRTPProfile }
        let label = "EXTRACTOR-dtls_srtp"
        var exported = [UInt8](repeating: 0, count: 2 * (profile.keyLength + profile.saltLength))
        defer { unsafe OPENSSL_cleanse(&exported, exported.count) }
        guard
            unsafe SSL_export_keying_material(ssl, &exported, exported.count, label, label.utf8.count, nil, 0, 0) == 1,
            let keys = SRTPKeyingMaterial(profile: profile, exported: exported, isClient: isClient)
        else { throw .internalError }
        return keys
    }

    /// The peer's certificate in DER; empty when there is none.
    var peerCertificate: [UInt8] {
        guard let peer = unsafe SSL_get0_peer_certificate(ssl) else { return [] }
        return unsafe SelfSignedCertificate.encode { unsafe i2d_X509(peer, $0) }
    }

    /// Continues the association's records without libssl: the keys come from its public getters, record numbers and nonces
    /// from what it wrote. `nil` where it has to go on by itself: for CBC suites, and for shorter records than usual
    /// (RFC 6066 §4).
    func recordLayer() -> DTLSRecordLayer? {
        guard unsafe SSL_version(ssl) == DTLS1_2_VERSION, let suite = unsafe SSL_get_current_cipher(ssl),
            let cipher = unsafe DTLSCipher(identifier: SSL_CIPHER_get_cipher_nid(suite)),
            let digest = unsafe SSL_CIPHER_get_handshake_digest(suite), let session = unsafe SSL_get_session(ssl),
            unsafe SSL_SESSION_get_max_fragment_length(session) == 0, trace.isSteady,
            let offset = nonceOffset(for: cipher)
        else { return nil }
        var master = unsafe [UInt8](repeating: 0, count: SSL_SESSION_get_master_key(session, nil, 0))
        defer { unsafe OPENSSL_cleanse(&master, master.count) }
        _ = unsafe SSL_SESSION_get_master_key(session, &master, master.count)
        var client = [UInt8](repeating: 0, count: 32)
        var server = client
        guard unsafe SSL_get_client_random(ssl, &client, 32) == 32,
            unsafe SSL_get_server_random(ssl, &server, 32) == 32,
            let keys = unsafe DTLSRecordKeys(
                cipher: cipher, master: master, clientRandom: client, serverRandom: server, digest: digest,
                isClient: isClient),
            let finished = trace.openedFinished(with: keys)
        else { return nil }
        return DTLSRecordLayer(
            restoring: DTLSRecordLayer.Snapshot(
                keys: keys, nextSequence: trace.nextSequence, nonceOffset: offset,
                nextPlainSequence: trace.nextPlainSequence, finished: isClient ? [] : finished,
                window: DTLSReplayWindow()))
    }

    private func nonceOffset(for cipher: DTLSCipher) -> UInt64? {
        // Without an explicit part the nonce is epoch and number (RFC 7905 §2).
        if cipher.explicitLength == 0 { return UInt64(DTLSRecordLayer.epoch) << 48 }
        return trace.hasSteadyNonces ? trace.nonceOffset : nil
    }

    /// The protected records that came while the handshake ran, each once; they are the record layer's to read.
    func takeProtectedRecords() -> [[UInt8]] { trace.takeReceived() }

    /// What an empty protected record takes in the negotiated suite: an explicit nonce and a tag, or one block of an IV and
    /// at least two of MAC and padding. libssl 3.0.19 takes a shorter one for a fault of its own and ends the association,
    /// so that anybody who can forge the peer's address could (RFC 6347 §4.1.2.7: such records are dropped in silence).
    func hasPlausibleRecords(_ datagram: UnsafeRawBufferPointer) -> Bool {
        let shortest = shortestFragment
        var offset = 0
        while let header = unsafe DTLSRecordHeader(datagram, at: offset) {
            if header.epoch != 0, header.fragmentLength < shortest { return false }
            offset += DTLSRecordHeader.length + header.fragmentLength
        }
        return true
    }

    private var shortestFragment: Int {
        guard let suite = unsafe SSL_get_current_cipher(ssl) ?? SSL_get_pending_cipher(ssl) else { return 0 }
        return unsafe DTLSCipher(identifier: SSL_CIPHER_get_cipher_nid(suite))?.overhead ?? 48
    }

    // MARK: Afterwards, without a record layer of ours

    /// Reads every record of a datagram, or of what libssl still has: alerts, repeated Finished messages, application data.
    func drain(_ datagram: UnsafeRawBufferPointer?, into events: inout [DTLSRecordEvent]) -> DTLSFailure? {
        unsafe incoming = datagram
        defer { unsafe incoming = nil }
        return withBuffers(orElse: .internalError) {
            var record = [UInt8](repeating: 0, count: DTLSRecordLayer.largestPayload)
            while true {
                let count = unsafe SSL_read(ssl, &record, Int32(truncatingIfNeeded: record.count))
                if count > 0 {
                    events.append(.applicationData(Array(record[..<Int(count)])))
                    continue
                }
                let error = unsafe SSL_get_error(ssl, count)
                if unsafe SSL_get_shutdown(ssl) & SSL_RECEIVED_SHUTDOWN != 0 {
                    // After a fatal alert nothing may be said any more.
                    guard failureOfShutdown() == .closedByPeer else { return .alertReceived }
                    events.append(.closed)
                    return nil
                }
                return error == SSL_ERROR_WANT_READ ? nil : failureOfQueue()
            }
        }
    }

    /// Sends application data. `false` when libssl does not.
    func write(_ payload: [UInt8]) -> Bool {
        withBuffers(orElse: false) { unsafe SSL_write(ssl, payload, Int32(truncatingIfNeeded: payload.count)) > 0 }
    }

    /// Says close_notify.
    func sendCloseNotify() {
        withBuffers(orElse: ()) { _ = unsafe SSL_shutdown(ssl) }
    }

    /// Calls libssl with its record buffers in place, 34 KiB that an association needs only while it is called: one that
    /// waits for the peer's next flight does not keep them.
    private func withBuffers<Value>(orElse none: Value, _ body: () -> Value) -> Value {
        ERR_clear_error()
        guard unsafe SSL_alloc_buffers(ssl) == 1 else { return none }
        let value = body()
        // Keeps them by itself as long as something unread is in them.
        _ = unsafe SSL_free_buffers(ssl)
        ERR_clear_error()
        return value
    }

    private func failureOfShutdown() -> DTLSFailure {
        // A fatal alert shuts the read side too, but leaves an error.
        noteProblem()
        return ERR_peek_last_error() == 0 ? .closedByPeer : .alertReceived
    }

    private func noteProblem() {
        let code = ERR_peek_last_error()
        problem = unsafe code == 0 ? nil : ERR_reason_error_string(code).map { unsafe String(cString: $0) }
    }

    private func failureOfQueue() -> DTLSFailure {
        noteProblem()
        let code = ERR_peek_last_error()
        if code == 0 { return .protocolViolation }
        let reason = ERR_GET_REASON(code)
        // The reasons of received alerts are the alerts' numbers plus an offset.
        if reason >= SSL_AD_REASON_OFFSET, reason < SSL_AD_REASON_OFFSET + 256 { return .alertReceived }
        if reason == SSL_R_PEER_DID_NOT_RETURN_A_CERTIFICATE { return .noPeerCertificate }
        if reason == ERR_R_MALLOC_FAILURE { return .internalError }
        return .protocolViolation
    }

    // MARK: The BIO's side

    /// Queues a datagram that libssl wrote.
    func datagramWritten(_ datagram: UnsafeRawBufferPointer) {
        unsafe trace.written(datagram)
        if unsafe !outgoing.append(datagram) { droppedOutgoing &+= 1 }
    }

    /// Hands the datagram being read to libssl, once.
    func takeIncoming(into buffer: UnsafeMutableRawBufferPointer) -> Int? {
        guard let datagram = unsafe incoming else { return nil }
        unsafe incoming = nil
        let count = min(datagram.count, buffer.count)
        unsafe buffer.copyMemory(from: UnsafeRawBufferPointer(rebasing: datagram[..<count]))
        return count
    }
}
