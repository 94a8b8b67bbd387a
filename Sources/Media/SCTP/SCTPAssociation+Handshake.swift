extension SCTPAssociation {
    /// T1 and T2 begin at a second and double (RFC 9260 §5.1, §16).
    func handshakeTimeout(_ count: UInt16) -> MediaDuration {
        min(.milliseconds(1000 << Int(min(count, 8))), max(settings.longestBackOff, .seconds(1)))
    }

    /// What INIT and INIT ACK say of this side.
    private func announcement(tag: UInt32, first: TSN) -> SCTPInitiation {
        SCTPInitiation(
            tag: tag, window: settings.receiveWindow, outgoingStreams: max(settings.outgoingStreams, 1),
            incomingStreams: max(settings.incomingStreams, 1), initialTSN: first, capabilities: settings.capabilities)
    }

    func writeInitiation(into writer: inout SCTPPacketWriter) throws(WireError) {
        try announcement(tag: localTag, first: localInitialTSN).write(.initiation, into: &writer)
    }

    // MARK: INIT

    /// Answers with everything that there is to know in a cookie, and remembers nothing (RFC 9260 §5.1, §5.2.1,
    /// §5.2.2).
    mutating func initiationReceived(_ chunk: SCTPChunkView, at now: MediaInstant) {
        guard handshakeQuota.take(at: now) else {
            counters.overQuota &+= 1
            return
        }
        guard let theirs = try? SCTPInitiation(parsing: chunk) else {
            counters.malformed &+= 1
            return
        }
        if state == .shutdownAckSent {
            // RFC 9260 §9.2: the end comes first.
            repetition?.isDue = true
            return
        }
        var cookie = SCTPStateCookie(
            created: now, localTag: localTag, localInitialTSN: localInitialTSN, peer: theirs)
        switch state {
        case .cookieWait, .cookieEchoed: break
        case .closed:
            cookie.localTag = draw()
            cookie.localInitialTSN = TSN(draw())
        default:
            // The peer begins again, it says. Numbers far from those in use keep the two associations apart.
            cookie.localTag = draw()
            cookie.localInitialTSN = TSN(draw())
            cookie.localTieTag = localTag
            cookie.peerTieTag = peer?.tag ?? 0
        }
        var ours = announcement(tag: cookie.localTag, first: cookie.localInitialTSN)
        ours.cookie = cookie.bytes(key: key)
        ours.unrecognized = theirs.unrecognized
        reply(tag: theirs.tag) { (writer) throws(WireError) in try ours.write(.initiationAck, into: &writer) }
    }

    // MARK: INIT ACK

    mutating func initiationAckReceived(_ chunk: SCTPChunkView, at now: MediaInstant) {
        guard state == .cookieWait else {
            counters.ignored &+= 1
            return
        }
        guard let theirs = try? SCTPInitiation(parsing: chunk) else {
            counters.malformed &+= 1
            return
        }
        peer = agreed(with: theirs)
        guard !theirs.cookie.isEmpty, theirs.cookie.count <= settings.maximumPacket - 16 else {
            // RFC 9260 §5.1: a mandatory parameter is missing.
            abort(.protocolViolation, cause: SCTPErrorCause.missingParameter, at: now)
            return
        }
        cookie = theirs.cookie
        state = .cookieEchoed
        repetition = Repetition(isDue: true, deadline: now + handshakeTimeout(0), count: 0)
    }

    /// What both sides can do, and how many streams each takes.
    private func agreed(with theirs: SCTPInitiation) -> Peer {
        Peer(
            tag: theirs.tag, initialTSN: theirs.initialTSN, window: theirs.window,
            capabilities: settings.capabilities.intersection(theirs.capabilities),
            outgoingStreams: min(settings.outgoingStreams, theirs.incomingStreams),
            incomingStreams: min(settings.incomingStreams, theirs.outgoingStreams))
    }

    // MARK: COOKIE ECHO

    /// - Parameter tag: the packet's.
    /// - Returns: whether what follows in the packet is this association's.
    mutating func cookieEchoReceived(_ chunk: SCTPChunkView, tag: UInt32, at now: MediaInstant) -> Bool {
        guard handshakeQuota.take(at: now) else {
            counters.overQuota &+= 1
            return false
        }
        let returned: SCTPStateCookie
        do throws(SCTPStateCookie.Problem) {
            returned = try unsafe SCTPStateCookie(parsing: Array(chunk.value), key: key, at: now)
        } catch {
            counters.refusedCookies &+= 1
            if case .stale(let excess) = error { staleCookieReceived(excess, chunk) }
            return false
        }
        guard returned.localTag == tag else {
            counters.refusedCookies &+= 1
            return false
        }
        guard state != .closed else {
            establish(by: returned, at: now)
            return true
        }
        return cookieEchoed(returned, at: now)
    }

    /// The table of RFC 9260 §5.2.4.
    private mutating func cookieEchoed(_ returned: SCTPStateCookie, at now: MediaInstant) -> Bool {
        let isSameLocal = returned.localTag == localTag
        let isSamePeer = returned.peer.tag == peer?.tag
        if isSameLocal, isSamePeer {
            // D: both began at once, or COOKIE ACK was lost.
            if !state.isSynchronized { establish(by: returned, at: now) } else { acknowledgeCookie() }
            return true
        }
        if isSameLocal, !state.isSynchronized {
            // B: both began at once, and this is the peer's newer try.
            establish(by: returned, at: now)
            return true
        }
        if state.isSynchronized, returned.localTieTag == localTag, returned.peerTieTag == peer?.tag,
            returned.localTieTag != 0
        {
            // A: the peer began again.
            if state == .shutdownAckSent {
                repetition?.isDue = true
                return false
            }
            establish(by: returned, at: now)
            return true
        }
        counters.ignored &+= 1
        return false
    }

    private mutating func acknowledgeCookie() {
        guard let peer else { return }
        reply(tag: peer.tag) { (writer) throws(WireError) in try writer.append(.cookieAck) }
    }

    private mutating func staleCookieReceived(_ excess: UInt32, _ chunk: SCTPChunkView) {
        // Without an association the peer's tag is in the cookie alone, which is not believed any more.
        guard let peer else { return }
        reply(tag: peer.tag) { (writer) throws(WireError) in
            try writer.beginChunk(.error)
            let start = try writer.beginParameter(SCTPErrorCause.staleCookie)
            try writer.writeUInt32(excess)
            try writer.endParameter(start)
            try writer.endChunk()
        }
    }

    private mutating func establish(by cookie: SCTPStateCookie, at now: MediaInstant) {
        localTag = cookie.localTag
        localInitialTSN = cookie.localInitialTSN
        peer = agreed(with: cookie.peer)
        acknowledgeCookie()
        begin(at: now)
    }

    // MARK: COOKIE ACK

    mutating func cookieAckReceived(at now: MediaInstant) {
        guard state == .cookieEchoed else {
            counters.ignored &+= 1
            return
        }
        begin(at: now)
    }

    /// The peer found the cookie too old: begin with a new one (RFC 9260 §5.2.6).
    mutating func errorReceived(_ chunk: SCTPChunkView, at now: MediaInstant) {
        guard state == .cookieEchoed, SCTPErrorCause.isPresent(SCTPErrorCause.staleCookie, in: chunk) else { return }
        state = .cookieWait
        peer = nil
        cookie = []
        repetition = Repetition(isDue: true, deadline: now + handshakeTimeout(0), count: 0)
    }

    /// Both sides know each other.
    private mutating func begin(at now: MediaInstant) {
        guard let peer else { return }
        let isRestart = state.isSynchronized
        state = .established
        isOver = false
        cookie = []
        repetition = nil
        heartbeat = nil
        sender.begin(first: localInitialTSN, peerWindow: peer.window, capabilities: peer.capabilities)
        receiver = SCTPReceiver(
            first: peer.initialTSN, isInterleaved: peer.capabilities.contains(.interleaving), settings: settings)
        resets = SCTPStreamResets(first: localInitialTSN, peerFirst: peer.initialTSN)
        scheduleHeartbeat(at: now)
        events.append(isRestart ? .restarted : .connected)
    }
}
