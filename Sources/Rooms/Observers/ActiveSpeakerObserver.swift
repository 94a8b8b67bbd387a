public import RoundhouseMedia

/// Finds the dominant speaker, as mediasoup's ActiveSpeakerObserver does: short noises do not count, and
/// whoever speaks keeps the floor until somebody else clearly takes it.
///
/// Feed it the samples of its producers; call `deadlineReached` at `nextDeadline`.
public struct ActiveSpeakerObserver: Sendable {
    /// A challenger's scores must exceed the dominant speaker's by this much in each length of time.
    private static let margins = (immediate: 3.0, medium: 2.0, long: 0.0)
    /// A producer that is silent for this long is left out.
    private static let speakerTimeout = MediaDuration.seconds(3600)

    private struct Speaker {
        var producer: ProducerID
        var activity: SpeechActivity
        var lastHeardAt: MediaInstant
        var isPaused = false
    }

    /// 100…5000 ms.
    public let interval: MediaDuration
    /// A producer without a sample for this long is silent.
    private let levelTimeout: MediaDuration
    /// The dominant speaker.
    public private(set) var dominant: ProducerID?
    /// In the order in which they were added.
    private var speakers: [Speaker] = []
    private var isPaused = false
    private var deadline: MediaInstant

    /// - Parameters:
    ///   - interval: clamped to 100…5000 ms.
    ///   - batch: how long samples may be under way, if they come together.
    public init(interval: MediaDuration = .milliseconds(300), batch: MediaDuration = .zero, at now: MediaInstant) {
        levelTimeout = SpeechActivity.levelTimeout + batch
        self.interval = min(max(interval, .milliseconds(100)), .milliseconds(5000))
        deadline = now + self.interval
    }

    /// When speakers are compared next; `nil` while paused.
    public var nextDeadline: MediaInstant? { isPaused ? nil : deadline }

    /// A producer takes part in the conversation.
    public mutating func addProducer(_ producer: ProducerID, at now: MediaInstant) {
        guard index(of: producer) == nil else { return }
        speakers.append(Speaker(producer: producer, activity: SpeechActivity(at: now), lastHeardAt: now))
    }

    /// A producer was removed or closed.
    /// - Returns: the new dominant speaker, if this was the old one and someone else takes over.
    public mutating func removeProducer(_ producer: ProducerID, at now: MediaInstant) -> ProducerID? {
        guard let index = index(of: producer) else { return nil }
        speakers.remove(at: index)
        guard dominant == producer else { return nil }
        dominant = nil
        return compare(at: now)
    }

    /// A producer's own pause.
    public mutating func setProducerPaused(_ producer: ProducerID, _ isPaused: Bool) {
        guard let index = index(of: producer) else { return }
        speakers[index].isPaused = isPaused
    }

    /// Samples in the order of their times; those of producers that were not added are ignored.
    public mutating func samplesReceived(_ samples: some Sequence<AudioLevelSample>) {
        guard !isPaused else { return }
        for sample in samples {
            guard let index = index(of: sample.producer) else { continue }
            speakers[index].activity.levelReceived(127 - Int(sample.level), at: sample.time)
            speakers[index].lastHeardAt = max(speakers[index].lastHeardAt, sample.time)
        }
    }

    /// Compares the speakers.
    /// - Returns: the new dominant speaker, if it changed.
    public mutating func deadlineReached(at now: MediaInstant) -> ProducerID? {
        guard !isPaused, now >= deadline else { return nil }
        deadline = now + interval
        return compare(at: now)
    }

    /// Stops listening; the dominant speaker stays.
    public mutating func pause() { isPaused = true }

    /// Listens again.
    public mutating func resume(at now: MediaInstant) {
        guard isPaused else { return }
        isPaused = false
        deadline = now + interval
    }

    private func index(of producer: ProducerID) -> Int? { speakers.firstIndex { $0.producer == producer } }

    private mutating func compare(at now: MediaInstant) -> ProducerID? {
        for index in speakers.indices where now - speakers[index].activity.lastSampleAt > levelTimeout {
            speakers[index].activity.levelReceived(0, at: now)
        }
        guard let winner = winner(at: now), winner != dominant else { return nil }
        dominant = winner
        return winner
    }

    private func winner(at now: MediaInstant) -> ProducerID? {
        guard let first = speakers.first else { return nil }
        guard speakers.count > 1 else { return first.producer }
        let holder = speakers.first { $0.producer == dominant } ?? first
        let held = holder.activity.scores
        var winner = holder.producer
        var margin = Self.margins.medium
        for speaker in speakers where speaker.producer != holder.producer && !speaker.isPaused {
            guard now - speaker.lastHeardAt <= Self.speakerTimeout else { continue }
            let scores = speaker.activity.scores
            let medium = scores.medium - held.medium
            guard scores.immediate - held.immediate > Self.margins.immediate, medium > margin,
                scores.long - held.long > Self.margins.long
            else { continue }
            margin = medium
            winner = speaker.producer
        }
        return winner
    }
}
