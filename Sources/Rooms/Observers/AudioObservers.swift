import RoundhouseMedia

/// A room's two observers of sound, which listen only while there is any.
///
/// Time is the media plane's: reports carry it, and between them `timePassed` says it.
struct AudioObservers {
    /// What was heard of a producer since the report before.
    struct Levels {
        var producer: ProducerID
        /// The sum of `count` levels in −dBov.
        var total: Int
        /// At least 1.
        var count: Int
        var time: MediaInstant
    }

    enum Event: Hashable {
        /// The loudest producers, loudest first.
        case volumes([AudioLevelObserver.Volume])
        /// Nobody is loud enough any more.
        case silence
        /// The dominant speaker changed.
        case dominant(ProducerID)
    }

    /// What mediasoup-demo's server observes with.
    static let interval = MediaDuration.milliseconds(800)
    static let threshold = -80
    /// Without a report for this long there is nothing to listen to.
    static let silenceTimeout = MediaDuration.seconds(2)
    /// Reports come in batches, and from several threads: nobody who is late by less is taken for silent.
    static let batch = MediaDuration.milliseconds(250)

    private var levels: AudioLevelObserver
    private var speakers: ActiveSpeakerObserver
    /// The newest report's time.
    private(set) var heardAt: MediaInstant?
    private(set) var isListening = false

    init() {
        let origin = MediaInstant(nanoseconds: 0)
        levels = AudioLevelObserver(maxEntries: 8, threshold: Self.threshold, interval: Self.interval, at: origin)
        speakers = ActiveSpeakerObserver(batch: Self.batch, at: origin)
        _ = levels.pause()
        speakers.pause()
    }

    var dominant: ProducerID? { speakers.dominant }

    mutating func audioLevelsReceived(_ reports: [Levels]) -> [Event] {
        guard let newest = reports.map(\.time).max() else { return [] }
        let now = max(newest, heardAt ?? newest)
        heardAt = now
        if !isListening {
            isListening = true
            levels.resume(at: now)
            speakers.resume(at: now)
        }
        for report in reports {
            levels.addProducer(report.producer)
            speakers.addProducer(report.producer, at: report.time)
            speakers.setProducerPaused(report.producer, false)
            levels.levelsReceived(report.producer, total: report.total, count: report.count)
            let average = (2 * report.total + report.count) / (2 * report.count)
            speakers.samplesReceived([
                AudioLevelSample(producer: report.producer, level: UInt8(clamping: average), time: report.time)
            ])
        }
        return compared(at: now)
    }

    /// - Parameter now: at or after `heardAt`.
    mutating func timePassed(_ now: MediaInstant) -> [Event] {
        guard isListening, let heardAt else { return [] }
        guard now - heardAt >= Self.silenceTimeout else { return compared(at: now) }
        isListening = false
        speakers.pause()
        return levels.pause().map { [event($0)] } ?? []
    }

    /// A producer's own pause; one that was resumed is heard again with its next report.
    mutating func setProducerPaused(_ producer: ProducerID, _ isPaused: Bool) {
        guard isPaused else { return }
        levels.removeProducer(producer)
        speakers.setProducerPaused(producer, true)
    }

    /// A producer was closed.
    mutating func removeProducer(_ producer: ProducerID) -> [Event] {
        levels.removeProducer(producer)
        guard let heardAt, let dominant = speakers.removeProducer(producer, at: heardAt) else { return [] }
        return [.dominant(dominant)]
    }

    private mutating func compared(at now: MediaInstant) -> [Event] {
        var events: [Event] = []
        if let change = levels.deadlineReached(at: now) { events.append(event(change)) }
        if let dominant = speakers.deadlineReached(at: now) { events.append(.dominant(dominant)) }
        return events
    }

    private func event(_ event: AudioLevelObserver.Event) -> Event {
        switch event {
        case .volumes(let volumes): .volumes(volumes)
        case .silence: .silence
        }
    }
}
