@testable import RoundhouseMedia

/// Simulcast of three encodings with three temporal layers each, of which the fitting ones are sent.
///
/// A stand-in for the server's allocation: up if the whole fits what may be spent on new things, down at once in time,
/// and to a lower encoding with its key frame 150 ms later.
struct Camera {
    static let rates: [UInt64] = [150_000, 500_000, 1_500_000]
    private static let shares = [0.4, 0.2, 0.4]
    /// What SRTP, RTP, UDP and IP add to a video.
    private static let overhead = 1.06

    private(set) var layer = -1
    private(set) var temporal = 2
    private var wantedLayer = -1
    private var switchAt: Double?
    private var overSince: Double?
    private var raisedAt = -10.0
    private var frame = 0
    private var nextFrameAt: Double
    private var needsKeyFrame = false
    private(set) var switches = 0
    private(set) var isPausedByRelief = false

    init(phase: Double) { nextFrameAt = phase }

    /// Of the packets of a second, in bits per second on the wire.
    static func cost(_ layer: Int, _ temporal: Int = 2) -> UInt64 {
        guard layer >= 0 else { return 0 }
        return UInt64(Double(rates[layer]) * shares[...temporal].reduce(0, +) * overhead)
    }

    var cost: UInt64 { max(Self.cost(layer, temporal), Self.cost(wantedLayer, temporal)) }
    var nextCost: UInt64? {
        wantedLayer < 2 ? Self.cost(wantedLayer + 1) : temporal < 2 ? Self.cost(2) : nil
    }

    /// - Parameters:
    ///   - budget: for this camera on what it has.
    ///   - raise: for it on something new.
    mutating func allocate(budget: UInt64, raise: UInt64, relief: Relief, at now: Double) {
        if relief >= .pause, layer >= 0, Self.cost(layer, temporal) > budget || relief == .audioOnly {
            isPausedByRelief = true
        } else if relief < .pause {
            isPausedByRelief = false
        }
        let present = max(layer, wantedLayer)
        if Self.cost(present) > budget {
            if overSince == nil { overSince = now }
            let mustShed = relief >= .temporal || now - (overSince ?? now) > 0.2
            if mustShed || Self.cost(present) > budget + budget / 10 {
                temporal = (0...2).last { Self.cost(layer, $0) <= budget } ?? 0
                if mustShed, let fitting = (0...2).last(where: { Self.cost($0) <= budget }),
                    fitting < wantedLayer
                {
                    wantedLayer = fitting
                    switchAt = now + 0.15
                }
            }
        } else {
            overSince = nil
            if Self.cost(layer) <= budget { temporal = 2 }
        }
        if relief == .none, wantedLayer < 2, switchAt == nil, now - raisedAt > 0.5,
            let best = (wantedLayer + 1...2).last(where: { Self.cost($0) <= raise })
        {
            wantedLayer = best
            switchAt = now + 0.15
            raisedAt = now
        }
    }

    /// Frames that are due: their sizes in bytes on the wire.
    mutating func frames(until now: Double, random: inout Randomness) -> [Int] {
        var sizes: [Int] = []
        while nextFrameAt <= now {
            nextFrameAt += 1 / 30.0
            frame += 1
            if let at = switchAt, at <= now {
                if layer != wantedLayer {
                    layer = wantedLayer
                    switches += 1
                    needsKeyFrame = true
                }
                switchAt = nil
                temporal = 2
            }
            guard layer >= 0, !isPausedByRelief else { continue }
            let position = frame % 4
            let temporalOfFrame = position == 0 ? 0 : position == 2 ? 1 : 2
            guard temporalOfFrame <= temporal || needsKeyFrame else { continue }
            let share = [Self.shares[0], Self.shares[1], Self.shares[2] / 2][temporalOfFrame]
            var bytes = Double(Self.rates[layer]) / 8 * share * 4 / 30 * random.uniform(0.75, 1.25)
            if needsKeyFrame {
                bytes = Double(Self.rates[layer]) / 8 / 30 * 4
                needsKeyFrame = false
            }
            sizes.append(max(Int(bytes * Self.overhead), 100))
        }
        return sizes
    }
}
