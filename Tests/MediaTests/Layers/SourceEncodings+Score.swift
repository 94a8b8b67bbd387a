@testable import RoundhouseMedia

extension SourceEncodings {
    /// As a score's change arrives from the producer's shard: with all else that is known of the encoding.
    mutating func scoreChanged(encoding: Int, to score: UInt8) {
        var known = encodings[encoding]
        known.score = score
        advanced(encoding: encoding, to: known)
    }
}
