import RoundhouseMedia

extension RoomState {
    /// The media plane reported audio levels.
    mutating func audioLevelsReceived(_ reports: [AudioLevelReport]) -> [RoomAction] {
        var levels: [AudioObservers.Levels] = []
        for report in reports {
            // What is said while muted counts for nothing, nor does a producer that was closed meanwhile.
            guard report.count > 0, let id = producerIDs[report.producer], let producer = producers[id],
                producer.kind == .audio, !producer.isPaused
            else { continue }
            levels.append(
                AudioObservers.Levels(
                    producer: id, total: Int(report.levelSum), count: Int(report.count), time: report.time))
        }
        let events = audio.audioLevelsReceived(levels)
        return notifications(of: events)
    }

    /// Time passes without a report.
    mutating func audioTimePassed(_ now: MediaInstant) -> [RoomAction] {
        let events = audio.timePassed(now)
        return notifications(of: events)
    }

    /// A producer is gone.
    mutating func audioEnded(_ id: ProducerID) -> [RoomAction] {
        let events = audio.removeProducer(id)
        return notifications(of: events)
    }

    /// A producer's picture is to be turned in another way.
    func videoOrientationChanged(_ key: ProducerKey, _ orientation: VideoOrientation) -> [RoomAction] {
        producerIDs[key].map { [.observed(.videoOrientationChanged($0, orientation))] } ?? []
    }

    /// A packet of an object whose trace is on.
    func traced(_ trace: TraceEvent) -> [RoomAction] {
        switch trace.subject {
        case .producer(let key): producerIDs[key].map { [.observed(.producerTrace($0, trace))] } ?? []
        case .consumer(let key): consumerIDs[key].map { [.observed(.consumerTrace($0, trace))] } ?? []
        }
    }

    private func notifications(of events: [AudioObservers.Event]) -> [RoomAction] {
        var actions: [RoomAction] = []
        for event in events {
            switch event {
            case .volumes(let volumes):
                actions.append(.observed(.volumes(volumes)))
                let speakers = speakers(volumes)
                guard let loudest = speakers.first else { continue }
                actions += everybody(.activeSpeaker(loudest.peerID, volume: loudest.volume))
                actions += everybody(.speakingPeers(speakers))
            case .silence:
                actions.append(.observed(.silence))
                actions += everybody(.activeSpeaker(nil, volume: nil))
                actions += everybody(.speakingPeers([]))
            case .dominant(let producer): actions.append(.observed(.dominantSpeaker(producer)))
            }
        }
        return actions
    }

    /// Each peer once, as loud as its loudest producer.
    private func speakers(_ volumes: [AudioLevelObserver.Volume]) -> [PeerVolume] {
        var speakers: [PeerVolume] = []
        for volume in volumes {
            guard let peer = producers[volume.producer]?.peerID, !speakers.contains(where: { $0.peerID == peer }) else {
                continue
            }
            speakers.append(PeerVolume(peerID: peer, volume: volume.volume))
        }
        return speakers
    }

    private func everybody(_ notification: ServerNotification) -> [RoomAction] {
        orderedPeers.filter(\.isJoined).map { .notify($0.session, notification) }
    }
}
