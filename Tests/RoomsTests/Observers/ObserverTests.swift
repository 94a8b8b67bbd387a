import RoundhouseMedia
import Testing

@testable import RoundhouseRooms

private func ms(_ milliseconds: Int) -> MediaInstant {
    MediaInstant(nanoseconds: 1_000_000_000) + .milliseconds(milliseconds)
}

private func samples(_ producer: String, _ level: UInt8, count: Int) -> [AudioLevelSample] {
    Array(repeating: AudioLevelSample(producer: ProducerID(producer), level: level, time: ms(0)), count: count)
}

@Suite("AudioLevelObserver")
struct AudioLevelObserverTests {
    private typealias Volume = AudioLevelObserver.Volume

    private func observer(
        _ producers: [String], maxEntries: Int = 10, threshold: Int = -80
    ) -> AudioLevelObserver {
        var observer = AudioLevelObserver(maxEntries: maxEntries, threshold: threshold, at: ms(0))
        for producer in producers { observer.addProducer(ProducerID(producer)) }
        return observer
    }

    @Test func `the loudest come first, at most as many as asked for, with their averages`() {
        var observer = observer(["a", "b", "c", "d"], maxEntries: 2)
        observer.samplesReceived(samples("a", 60, count: 10) + samples("b", 30, count: 5) + samples("b", 33, count: 5))
        observer.samplesReceived(samples("c", 20, count: 9))
        observer.samplesReceived(samples("d", 60, count: 50) + samples("x", 1, count: 50))
        var event = observer.deadlineReached(at: ms(999))
        #expect(event == nil)
        event = observer.deadlineReached(at: ms(1000))
        // 31.5 rounds away from zero; c had too few samples; d is as loud as a and came later; nobody knows x.
        #expect(
            event
                == .volumes([
                    Volume(producer: ProducerID("b"), volume: -32), Volume(producer: ProducerID("a"), volume: -60),
                ]))
        #expect(observer.nextDeadline == ms(2000))
    }

    @Test func `silence is reported once, and not at the beginning`() {
        var observer = observer(["a"], threshold: -50)
        var event = observer.deadlineReached(at: ms(1000))
        #expect(event == nil)
        observer.samplesReceived(samples("a", 50, count: 10))
        event = observer.deadlineReached(at: ms(2000))
        #expect(event == .volumes([Volume(producer: ProducerID("a"), volume: -50)]))
        observer.samplesReceived(samples("a", 51, count: 10))
        event = observer.deadlineReached(at: ms(3000))
        #expect(event == .silence)
        event = observer.deadlineReached(at: ms(4000))
        #expect(event == nil)
    }

    @Test func `a removed producer is forgotten; samples of an interval do not reach into the next`() {
        var observer = observer(["a", "b"])
        observer.samplesReceived(samples("a", 10, count: 20) + samples("b", 10, count: 9))
        observer.removeProducer(ProducerID("a"))
        observer.addProducer(ProducerID("a"))
        var event = observer.deadlineReached(at: ms(1000))
        #expect(event == nil)
        observer.samplesReceived(samples("b", 10, count: 1))
        event = observer.deadlineReached(at: ms(2000))
        #expect(event == nil)
    }

    @Test func `a paused observer reports silence once and hears nothing`() {
        var observer = observer(["a"])
        observer.samplesReceived(samples("a", 10, count: 20))
        _ = observer.deadlineReached(at: ms(1000))
        let event = observer.pause()
        let again = observer.pause()
        #expect(event == .silence && again == nil && observer.nextDeadline == nil)
        observer.samplesReceived(samples("a", 10, count: 20))
        observer.resume(at: ms(5000))
        #expect(observer.nextDeadline == ms(6000))
        let after = observer.deadlineReached(at: ms(6000))
        #expect(after == nil)
    }

    @Test func `settings are clamped`() {
        #expect(AudioLevelObserver(interval: .milliseconds(1), at: ms(0)).interval == .milliseconds(250))
        #expect(AudioLevelObserver(interval: .seconds(60), at: ms(0)).interval == .milliseconds(5000))
        #expect(ActiveSpeakerObserver(interval: .milliseconds(1), at: ms(0)).interval == .milliseconds(100))
        #expect(ActiveSpeakerObserver(interval: .seconds(60), at: ms(0)).interval == .milliseconds(5000))
        #expect(AudioLevelSample(producer: ProducerID("a"), level: 255, time: ms(0)).level == 127)
    }
}

@Suite("ActiveSpeakerObserver")
struct ActiveSpeakerObserverTests {
    /// A conversation in steps of 20 ms: who speaks how loudly, and who is reported as dominant.
    private struct Conversation {
        var observer = ActiveSpeakerObserver(at: ms(0))
        var time = 0
        var told: [String] = []

        init(_ producers: [String]) {
            for producer in producers { observer.addProducer(ProducerID(producer), at: ms(0)) }
        }

        /// - Parameter levels: −dBov by producer, with the pauses of speech: what never pauses counts as background. A
        ///   producer that is not named sends nothing (DTX).
        mutating func run(_ milliseconds: Int, _ levels: [String: UInt8]) {
            let end = time + milliseconds
            while time < end {
                time += 20
                let isPause = time % 500 == 20
                observer.samplesReceived(
                    levels.sorted { $0.key < $1.key }.map {
                        AudioLevelSample(
                            producer: ProducerID($0.key), level: isPause ? max($0.value, 80) : $0.value, time: ms(time))
                    })
                guard let deadline = observer.nextDeadline, ms(time) >= deadline else { continue }
                if let dominant = observer.deadlineReached(at: ms(time)) { told.append(dominant.rawValue) }
            }
        }
    }

    @Test func `the only speaker dominates at once`() {
        var conversation = Conversation(["a"])
        conversation.run(300, [:])
        #expect(conversation.told == ["a"])
        conversation.run(10_000, ["a": 20])
        #expect(conversation.told == ["a"])
    }

    @Test func `whoever speaks takes the floor from whoever is silent, within a second and a half`() {
        var conversation = Conversation(["a", "b", "c"])
        conversation.run(2000, ["a": 10, "b": 127, "c": 127])
        #expect(conversation.told == ["a"])
        conversation.run(1500, ["a": 127, "b": 127, "c": 10])
        #expect(conversation.told == ["a", "c"])
        conversation.run(1500, ["b": 10])
        #expect(conversation.told == ["a", "c", "b"])
        #expect(conversation.observer.dominant == ProducerID("b"))
    }

    @Test func `a cough, a background noise or a second voice of the same loudness takes nothing`() {
        var conversation = Conversation(["a", "b"])
        conversation.run(2000, ["a": 10, "b": 127])
        conversation.run(60, ["a": 10, "b": 0])
        conversation.run(2000, ["a": 10, "b": 127])
        conversation.run(20_000, ["a": 10, "b": 70])
        conversation.run(2000, ["a": 10, "b": 10])
        #expect(conversation.told == ["a"])
    }

    @Test func `when the dominant speaker leaves, another one is named at once; a paused one is not chosen`() {
        var conversation = Conversation(["a", "b", "c"])
        conversation.run(2000, ["a": 10])
        let next = conversation.observer.removeProducer(ProducerID("a"), at: ms(conversation.time))
        #expect(next == ProducerID("b"))
        let other = conversation.observer.removeProducer(ProducerID("a"), at: ms(conversation.time))
        #expect(other == nil)
        conversation.observer.setProducerPaused(ProducerID("c"), true)
        conversation.run(2000, ["c": 10])
        #expect(conversation.observer.dominant == ProducerID("b"))
        conversation.observer.setProducerPaused(ProducerID("c"), false)
        conversation.run(600, ["c": 10])
        #expect(conversation.observer.dominant == ProducerID("c"))
        _ = conversation.observer.removeProducer(ProducerID("c"), at: ms(conversation.time))
        let last = conversation.observer.removeProducer(ProducerID("b"), at: ms(conversation.time))
        #expect(last == nil && conversation.observer.dominant == nil)
    }

    @Test func `a paused observer hears and reports nothing`() {
        var conversation = Conversation(["a", "b"])
        conversation.run(2000, ["a": 10])
        conversation.observer.pause()
        conversation.run(5000, ["b": 10])
        #expect(conversation.told == ["a"])
        conversation.observer.resume(at: ms(conversation.time))
        conversation.run(2000, ["b": 10])
        #expect(conversation.told == ["a", "b"])
    }

    @Test func `packets of 60 ms count like three of 20 ms`() {
        var short = SpeechActivity(at: ms(0))
        var long = SpeechActivity(at: ms(0))
        for step in 1...60 { short.levelReceived(117, at: ms(step * 20)) }
        for step in 1...20 { long.levelReceived(117, at: ms(step * 60)) }
        #expect(short.scores == long.scores)
        // Late samples and absurd gaps change nothing they should not.
        long.levelReceived(0, at: ms(10))
        #expect(short.scores == long.scores)
        long.levelReceived(117, at: ms(100_000_000))
        #expect(short.scores == long.scores)
    }

    @Test func `a noise that lasts becomes the background, and no longer counts as speech`() {
        var noise = SpeechActivity(at: ms(0))
        for step in 1...100 { noise.levelReceived(40, at: ms(step * 20)) }
        let silence = SpeechActivity(at: ms(0))
        #expect(noise.scores == silence.scores)
        for step in 101...160 { noise.levelReceived(117, at: ms(step * 20)) }
        #expect(noise.scores.long > silence.scores.long && noise.scores.medium > silence.scores.medium)
    }
}
