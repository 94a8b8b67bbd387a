/// The time after which a packet counts as lost (RFC 9260 §6.3), from measured round trips.
struct SCTPRetransmissionTimeout {
    private static let initial = MediaDuration.milliseconds(500)
    private static let shortest = MediaDuration.milliseconds(400)
    private static let longest = MediaDuration.seconds(60)
    /// Peers delay their acknowledgements by up to 200 ms, which is no variance of the path's.
    private static let leastVariance = MediaDuration.microseconds(27_500)

    /// The smoothed round trip; `nil` before the first measurement.
    private(set) var roundTrip: MediaDuration?
    private var variance = MediaDuration.zero
    private var measured = initial
    /// How many times in a row it has run out.
    private(set) var backOffs: UInt16 = 0

    /// - Parameter roundTrip: of a packet that was sent once.
    mutating func measured(_ sample: MediaDuration) {
        let sample = min(max(sample, .zero), Self.longest)
        if let smoothed = roundTrip {
            // RFC 9260 §6.3.1 C3: α = 1/8, β = 1/4.
            let difference = sample > smoothed ? sample - smoothed : smoothed - sample
            variance = MediaDuration(nanoseconds: (variance.nanoseconds * 3 + difference.nanoseconds) / 4)
            roundTrip = MediaDuration(nanoseconds: (smoothed.nanoseconds * 7 + sample.nanoseconds) / 8)
        } else {
            roundTrip = sample
            variance = MediaDuration(nanoseconds: sample.nanoseconds / 2)
        }
        let sum = (roundTrip ?? sample) + max(variance, Self.leastVariance) * 4
        measured = min(max(sum, Self.shortest), Self.longest)
        backOffs = 0
    }

    /// The peer answers: the next packet has the measured time again.
    mutating func answered() { backOffs = 0 }

    /// It has run out: twice as long next time (RFC 9260 §6.3.3 E2).
    mutating func ranOut() { backOffs = min(backOffs + 1, 1000) }

    /// The time for the next packet.
    /// - Parameter limit: what doubling ends at; the measured time may be longer.
    func duration(atMost limit: MediaDuration) -> MediaDuration {
        let doubled = MediaDuration(nanoseconds: measured.nanoseconds << Int64(min(backOffs, 8)))
        return min(doubled, max(measured, min(limit, Self.longest)))
    }
}

extension SCTPRetransmissionTimeout: Restorable {
    init(restoring reader: inout SnapshotReader) throws(WireError) {
        roundTrip = try reader.readOptional(in: .zero...Self.longest)
        variance = try reader.read(in: .zero...Self.longest)
        measured = try reader.read(in: Self.shortest...Self.longest)
        backOffs = try reader.read(in: 0...1000)
    }

    func write(to writer: inout SnapshotWriter) {
        writer.writeOptional(roundTrip)
        writer.write(variance)
        writer.write(measured)
        writer.write(backOffs)
    }
}
