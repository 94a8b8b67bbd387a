/// What the media threads measure of connections, at every report (RFC 3550 §6.4), as histograms: every case is a metric.
public enum QualityMeasure: Int, CaseIterable, Sendable {
    /// From the server to a receiver and back, in microseconds.
    case roundTrip
    /// Share of packets to a receiver that it missed, before any were sent again, in millionths.
    case loss
    /// Of what a receiver gets, in microseconds.
    case jitter
    /// Share of a sender's packets that the server missed, repaired ones not counted, in millionths.
    case uplinkLoss
    /// Of what the server gets, in microseconds.
    case uplinkJitter

    /// The metric's name without its beginning, and its unit.
    public var label: String {
        switch self {
        case .roundTrip: "round_trip_seconds"
        case .loss: "loss_ratio"
        case .jitter: "jitter_seconds"
        case .uplinkLoss: "uplink_loss_ratio"
        case .uplinkJitter: "uplink_jitter_seconds"
        }
    }

    /// The greatest value that each bucket takes; one more bucket takes what is beyond.
    public var bounds: [UInt64] {
        switch self {
        case .roundTrip: [5_000, 10_000, 25_000, 50_000, 100_000, 200_000, 400_000, 800_000]
        case .loss, .uplinkLoss: [0, 5_000, 10_000, 20_000, 50_000, 100_000, 200_000, 500_000]
        case .jitter, .uplinkJitter: [1_000, 2_500, 5_000, 10_000, 20_000, 50_000, 100_000, 250_000]
        }
    }

    /// As many bounds as every measure has, and the bucket beyond.
    static let buckets = 9
}
