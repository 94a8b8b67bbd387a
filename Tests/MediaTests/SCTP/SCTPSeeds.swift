import Foundation

/// How many seeds tests over simulated paths try: a few, or what `ROUNDHOUSE_SCTP_SEEDS` says.
enum SCTPSeeds {
    static let count = ProcessInfo.processInfo.environment["ROUNDHOUSE_SCTP_SEEDS"].flatMap(Int.init) ?? 12
}
