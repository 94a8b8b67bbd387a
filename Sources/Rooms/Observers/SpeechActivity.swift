import RoundhouseMedia

#if canImport(Glibc)
    import Glibc
#elseif canImport(Musl)
    import Musl
#endif

/// How much one producer speaks, over three lengths of time: the model of Volfin and Cohen, "Dominant speaker
/// identification for multipoint videoconferencing" (2012), with the constants mediasoup and Jitsi use.
///
/// Levels (one for each 20 ms, the newest 50) become sub-bands of 13; five of them that are loud make a medium step, ten
/// medium steps that are make a long one. Each is scored against the likelihood of silence.
struct SpeechActivity: Sendable {
    static let sampleTime = MediaDuration.milliseconds(20)
    /// Without a sample for this long, silence is assumed.
    static let levelTimeout = MediaDuration.milliseconds(40)

    private static let maxLevel = 127
    private static let levelCount = 50
    private static let subUnit = 13
    private static let mediumLength = 5
    private static let mediumThreshold = 7
    private static let longThreshold = 4
    /// Levels over which the background noise is found: 15 s.
    private static let minimumWindow = 750

    /// Logarithms of the scores of 0…n active parts, for each length of time.
    private static let immediateScores = scores(parts: 13, rate: 0.78)
    private static let mediumScores = scores(parts: 5, rate: 24)
    private static let longScores = scores(parts: 10, rate: 47)

    /// The newest last, 0 (silence) … 127.
    private var levels = [Int](repeating: 0, count: levelCount)
    private var minimum = 0
    private var nextMinimum = 0
    private var nextMinimumCount = 0
    private(set) var lastSampleAt: MediaInstant

    /// - Parameter now: when the producer was added.
    init(at now: MediaInstant) { lastSampleAt = now }

    /// - Parameter level: 0 (silence) … 127; it stands for all the time since the sample before, up to a second.
    mutating func levelReceived(_ level: Int, at time: MediaInstant) {
        guard time >= lastSampleAt else { return }
        let elapsed = (time - lastSampleAt).nanoseconds / Self.sampleTime.nanoseconds
        lastSampleAt = time
        let count = Int(min(max(elapsed, 1), Int64(Self.levelCount)))
        let level = min(max(level, 0), Self.maxLevel)
        levels.removeFirst(count)
        levels.append(contentsOf: repeatElement(level, count: count))
        updateMinimum(level)
    }

    /// Logarithms of the activity scores: of now, of the last tenth of a second, of the last second.
    var scores: (immediate: Double, medium: Double, long: Double) {
        let floor = minimum + Self.subUnit
        // The newest first.
        let immediates = levels.reversed().map { $0 < floor ? 0 : $0 / Self.subUnit }
        var mediums: [Int] = []
        for start in stride(from: 0, to: immediates.count, by: Self.mediumLength) {
            mediums.append(immediates[start..<start + Self.mediumLength].count { $0 > Self.mediumThreshold })
        }
        let long = mediums.count { $0 > Self.longThreshold }
        return (Self.immediateScores[immediates[0]], Self.mediumScores[mediums[0]], Self.longScores[long])
    }

    /// The level of the background: the least of the recent past, rising slowly.
    private mutating func updateMinimum(_ level: Int) {
        guard level > 0 else { return }
        if minimum == 0 || level < minimum {
            minimum = level
            nextMinimum = 0
            nextMinimumCount = 0
        } else if nextMinimum == 0 {
            nextMinimum = level
            nextMinimumCount = 1
        } else {
            nextMinimum = min(nextMinimum, level)
            nextMinimumCount += 1
            guard nextMinimumCount >= Self.minimumWindow else { return }
            let mean = Double(minimum * nextMinimum).squareRoot()
            minimum = min(max(Int(mean), 0), Self.maxLevel)
            nextMinimum = 0
            nextMinimumCount = 0
        }
    }

    /// The logarithm of how much likelier speech is than silence when v of n parts are active: binomial with p = 1/2
    /// against exponential with the given rate.
    private static func scores(parts: Int, rate: Double) -> [Double] {
        var coefficient = 1.0
        return (0...parts).map { active in
            if active > 0 { coefficient = coefficient * Double(parts - active + 1) / Double(active) }
            let score = log(coefficient) + Double(parts) * log(0.5) - log(rate) + rate * Double(active)
            return log(max(score, 1e-10))
        }
    }
}
