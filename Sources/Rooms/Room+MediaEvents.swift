import Logging
import RoundhouseMedia

extension Room {
    /// Takes everything that waits: clients' answers and the media plane's events, in order.
    func drain() {
        let answers = inbox.take()
        let (burst, dropped) = events.drain()
        retryQueued()
        for (id, outcome) in answers { perform(state.consumerAnswered(id, outcome)) }
        for (id, outcome) in inbox.takeDataAnswers() { perform(state.dataConsumerAnswered(id, outcome)) }
        for event in burst { eventReceived(event) }
        if dropped > 0 { logger.warning("media events were lost", metadata: ["count": "\(dropped)"]) }
        finishTransition()
    }

    private func eventReceived(_ event: MediaEvent) {
        switch event {
        case .iceStateChanged(let key, let iceState, let selected):
            perform(state.iceStateChanged(key, iceState, selected: selected))
        case .dtlsStateChanged(let key, let dtlsState):
            perform(state.dtlsStateChanged(key, dtlsState))
            if dtlsState == .connected { mediaConnected(key) }
        case .handshakeFailed(let key, let failure, let detail): handshakeFailed(key, failure, detail)
        case .transportSuperseded(let key, let successor): state.transportSuperseded(key, by: successor)
        case .plainTuplesChanged(let key, let tuples): state.plainTuplesChanged(key, tuples)
        case .warningRaised(let key, let warning): warningRaised(key, warning)
        case .warningCleared(let key, let kind):
            guard let transport = state.warningCleared(key, kind) else { return }
            logger.info("a transport's warning is over", metadata: metadata(of: transport, kind))
        case .commandFailed(let key, let error):
            logger.warning(
                "the media plane could not carry out a command",
                metadata: ["transport": "\(state.transportIDs[key]?.rawValue ?? "closed")", "error": "\(error)"])
        case .statistics(let token, let statistics):
            statisticsArrived(token, statistics)
        case .consumerLayersChanged(let key, let layers, let reason):
            perform(state.consumerLayersChanged(key, layers, reason))
        case .consumerScoreChanged(let key, let score): perform(state.consumerScoreChanged(key, score))
        case .producerScoreChanged(let key, let scores): perform(state.producerScoreChanged(key, scores))
        case .audioLevels(let reports): audioLevelsReceived(reports)
        case .producerCodecChanged(let key, let payloadType):
            perform(state.producerCodecChanged(key, payloadType: payloadType))
        case .videoOrientationChanged(let key, let orientation):
            perform(state.videoOrientationChanged(key, orientation))
        case .bandwidthReported(let key, let report): perform(state.bandwidthReported(key, report))
        case .sctpStateChanged(let key, let sctpState): state.sctpStateChanged(key, sctpState)
        case .data(let event): perform(state.dataEvent(event))
        case .trace(let trace): perform(state.traced(trace))
        }
    }

    /// Notes how long it took until media could flow, once for each peer.
    private func mediaConnected(_ key: TransportKey) {
        guard let transport = state.transportIDs[key].flatMap({ state.transports[$0] }),
            let peer = state.peers[transport.peerID], !peer.hadMedia
        else { return }
        state.peers[peer.id]?.hadMedia = true
        joinTimes?.observe(Double(wallClock() - peer.connectedAt) / 1000)
    }

    private func handshakeFailed(_ key: TransportKey, _ failure: DTLSFailure, _ detail: String?) {
        guard let transport = state.transportIDs[key].flatMap({ state.transports[$0] }) else { return }
        var metadata: Logger.Metadata = [
            "room.id": "\(id)", "peer.id": "\(transport.peerID)", "transport.id": "\(transport.id)",
            "reason": "\(failure.rawValue)",
        ]
        if let detail { metadata["detail"] = "\(detail)" }
        if let tuple = transport.webRTC?.selectedTuple { metadata["remote.address"] = "\(tuple.remoteAddress)" }
        logger.warning("a DTLS handshake failed: \(failure.hint)", metadata: metadata)
    }

    private func warningRaised(_ key: TransportKey, _ warning: TransportWarning) {
        guard let transport = state.warningRaised(key, warning) else { return }
        var metadata = metadata(of: transport, warning.kind)
        if let ssrc = warning.ssrc { metadata["ssrc"] = "\(ssrc)" }
        if let payloadType = warning.payloadType { metadata["payload.type"] = "\(payloadType)" }
        if let address = warning.remoteAddress { metadata["remote.address"] = "\(address)" }
        if warning.packets > 0 { metadata["packets"] = "\(warning.packets)" }
        logger.warning("\(warning.message)", metadata: metadata)
    }

    private func metadata(of transport: Transport, _ kind: TransportWarning.Kind) -> Logger.Metadata {
        [
            "room.id": "\(id)", "peer.id": "\(transport.peerID)", "transport.id": "\(transport.id)",
            "warning": "\(kind.rawValue)",
        ]
    }
}
