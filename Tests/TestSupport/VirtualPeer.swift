// Reads the media plane's internals, which a release build shows only with -enable-testing -DTESTING.
#if DEBUG || TESTING
    @testable import RoundhouseMedia

    /// A headless WebRTC client on the project's own machines: ICE, DTLS, SRTP, RTP and RTCP of one transport.
    ///
    /// A machine with an outbox: give it datagrams and time, take what it sends. A simulation drives it in virtual time,
    /// `LoopbackPeer` over a socket.
    // Safe: packets are written to `scratch`, which holds `scratchSize` bytes from `init` to `deinit` and no packet exceeds.
    final class VirtualPeer {
        /// What the server signaled.
        struct Remote {
            var credentials: ICECredentials
            var address: IPAddressPort
            var fingerprint: DTLSFingerprint
        }

        enum DTLSProgress: Hashable {
            case idle, handshaking, connected, failed, closed
        }

        /// What the server would have it send (REMB).
        struct Estimate {
            var at: MediaInstant
            var bitrate: UInt64
            var sources: [SSRC]
        }

        static let scratchSize = 2048
        static let recheckInterval = MediaDuration.seconds(2)

        let certificate: DTLSCertificate
        var random: SplitMix
        var now: MediaInstant
        /// The wall clock of reports.
        var wallClock = NTPTimestamp(rawValue: 0)
        private(set) var outbox: [VirtualDatagram] = []
        let scratch = UnsafeMutableRawBufferPointer.allocate(byteCount: VirtualPeer.scratchSize, alignment: 64)

        var estimates: [Estimate] = []

        // ICE
        var credentials: ICECredentials
        private(set) var remote: Remote?
        /// Where everything but checks is sent from.
        var localAddress: IPAddressPort
        /// Rechecked every two seconds; the first nominates.
        var paths: [IPAddressPort]
        /// Whether checks are sent; without them consent expires.
        var sendsChecks = true
        /// Whether the checks of the path that media uses carry USE-CANDIDATE.
        var nominates = true
        /// Whether nothing leaves: the process is gone, or its network.
        var isSilent = false
        var nextCheck: MediaInstant?
        var checks: [STUNTransactionID: IPAddressPort] = [:]
        var checksSucceeded = 0
        var checksFailed: [UInt16] = []
        /// Paths that got a success response since the last restart.
        var confirmedPaths: Set<IPAddressPort> = []
        /// Checks with wrong credentials answered by nothing good.
        var badResponses = 0

        // DTLS
        let dtlsRole: DTLSRole
        private(set) var dtls: DTLSConnection
        private(set) var progress = DTLSProgress.idle
        private(set) var profile: SRTPProfile?
        var opener: SRTPReceiver?
        var sealer: SRTPSender?

        // Data
        var data: VirtualData?

        // Media
        var tracks: [PublishedTrack] = []
        var publishedBySSRC: [UInt32: (track: PublishedTrack, stream: PublishedStream)] = [:]
        var subscriptions: [SubscribedStream] = []
        var subscribedBySSRC: [UInt32: SubscribedStream] = [:]
        let reportSSRC: SSRC
        var nextReport: MediaInstant
        var reportInterval = MediaDuration.milliseconds(1000)
        /// Without one sender reports have an NTP time of zero.
        var hasWallClock = true
        var nextMID = 0
        var transportWideSequence: UInt16 = 0
        /// Whether it tells the server what arrives.
        var givesFeedback = false
        var arrivals = TransportWideRecorder()
        /// By transport-wide sequence number: 1 for audio, 2 for video, plus 4 once the server said that it came.
        var transportWideLog: [UInt8] = []
        var feedback = FeedbackLog()
        /// The server's XR receiver reference time: its middle 32 bits, its SSRC and when it came.
        var receiverReference: (compact: UInt32, ssrc: SSRC, arrival: MediaInstant)?
        /// From the server's DLRR.
        var roundTripTime: MediaDuration?

        var receivedDatagrams = 0
        var authenticationFailures = 0
        var replays = 0
        var unknownSSRC: [UInt32: Int] = [:]
        var malformed = 0

        /// What transport-cc feedback said.
        struct FeedbackLog {
            var packets = 0
            var statuses = 0
            var received = 0
            var audioAcknowledged = 0
            var videoAcknowledged = 0
            var lastCount: UInt8?
            /// Feedback packets whose own count did not follow the one before.
            var skipped = 0
        }

        private static let shared = try? DTLSCertificate()

        /// - Parameter hasOwnCertificate: otherwise one for all peers, which saves time.
        init(
            address: IPAddressPort, seed: UInt64, now: MediaInstant, dtlsRole: DTLSRole = .client,
            hasOwnCertificate: Bool = false
        ) throws {
            certificate = try hasOwnCertificate ? DTLSCertificate() : Self.shared ?? DTLSCertificate()
            random = SplitMix(seed: seed)
            self.now = now
            localAddress = address
            paths = [address]
            self.dtlsRole = dtlsRole
            dtls = try DTLSConnection(certificate: certificate)
            credentials = .random(using: &random)
            reportSSRC = SSRC(UInt32(truncatingIfNeeded: random.next()))
            nextReport = now + .milliseconds(Int(random.next() % 500))
        }

        deinit { scratch.deallocate() }

        /// The fingerprint for signaling.
        var fingerprint: DTLSFingerprint {
            certificate.fingerprints.first { $0.algorithm == .sha256 } ?? certificate.fingerprints[0]
        }

        var isConnected: Bool { progress == .connected }

        /// The server's address is known from signaling: checks begin.
        func connect(to remote: Remote) {
            self.remote = remote
            confirmedPaths = []
            dtls.setRemoteFingerprint(remote.fingerprint)
            nextCheck = now
        }

        /// New server credentials after an ICE restart, with new ones of our own.
        func restartICE(_ serverCredentials: ICECredentials) {
            remote?.credentials = serverCredentials
            credentials = .random(using: &random)
            confirmedPaths = []
            checks = [:]
            nextCheck = now
        }

        /// Begins the handshake now, whether a check has succeeded or not.
        func startDTLS() {
            guard progress == .idle else { return }
            progress = .handshaking
            dtls.start(role: dtlsRole, at: now)
            advanceDTLS()
        }

        /// Says goodbye over DTLS.
        func close() {
            dtls.close()
            advanceDTLS()
            progress = .closed
            nextCheck = nil
        }

        /// Gives up what waits to be sent.
        func takeOutbox() -> [VirtualDatagram] {
            defer { outbox.removeAll(keepingCapacity: true) }
            return outbox
        }

        func send(_ bytes: UnsafeRawBufferPointer, from address: IPAddressPort? = nil) {
            guard let remote, !isSilent else { return }
            outbox.append(VirtualDatagram(bytes: Array(bytes), from: address ?? localAddress, to: remote.address))
        }

        // MARK: Input

        /// A datagram for one of our addresses; decrypted in place.
        func datagramReceived(
            _ bytes: UnsafeMutableRawBufferPointer, on address: IPAddressPort, at now: MediaInstant,
            wallClock: NTPTimestamp
        ) {
            self.now = now
            self.wallClock = wallClock
            receivedDatagrams += 1
            switch DatagramKind.classify(UnsafeRawBufferPointer(bytes)) {
            case .stun: stunReceived(UnsafeRawBufferPointer(bytes), on: address)
            case .dtls:
                if progress == .idle { startDTLS() }
                dtls.datagramReceived(UnsafeRawBufferPointer(bytes), at: now)
                advanceDTLS()
            case .rtp: rtpReceived(bytes)
            case .rtcp: rtcpReceived(bytes)
            case .unknown: malformed += 1
            }
        }

        /// Does what is due by now.
        func advance(to now: MediaInstant, wallClock: NTPTimestamp) {
            self.now = now
            self.wallClock = wallClock
            if let due = nextCheck, due <= now { sendChecks(now: now) }
            if let due = dtls.nextDeadline, due <= now {
                dtls.deadlineReached(at: now)
                advanceDTLS()
            }
            guard isConnected else { return }
            dataDeadlineReached()
            for track in tracks { advance(track) }
            for stream in subscriptions { requestMissing(stream) }
            if givesFeedback { sendTransportFeedback() }
            if nextReport <= now {
                nextReport = now + reportInterval
                sendReports()
            }
        }

        /// When `advance` has something to do.
        var nextDeadline: MediaInstant? {
            var deadline = earliest(nextCheck, dtls.nextDeadline)
            guard isConnected else { return deadline }
            deadline = earliest(deadline, nextReport)
            deadline = earliest(deadline, data?.sctp.nextDeadline)
            for track in tracks where track.isSending { deadline = earliest(deadline, track.nextFrame ?? now) }
            for stream in subscriptions { deadline = earliest(deadline, stream.nacks.nextDeadline) }
            if givesFeedback { deadline = earliest(deadline, arrivals.nextDeadline) }
            return deadline
        }

        // MARK: DTLS

        private func advanceDTLS() {
            while let event = dtls.pollEvent() {
                switch event {
                case .connecting: break
                case .applicationData(let packet): dataReceived(packet)
                case .connected(let keys):
                    profile = keys.profile
                    sealer = try? SRTPSender(profile: keys.profile, master: keys.local)
                    opener = try? SRTPReceiver(profile: keys.profile, master: keys.remote)
                    progress = .connected
                case .failed: progress = .failed
                case .closed: progress = .closed
                }
            }
            sendDTLS()
        }

        func sendDTLS() {
            while let length = dtls.pollTransmit(into: scratch) {
                send(UnsafeRawBufferPointer(rebasing: scratch[..<length]))
            }
        }
    }
#endif
