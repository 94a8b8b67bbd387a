import Logging
import NIOCore
import Synchronization

/// Writes lines that strangers can cause as often as they like: one a second, ten at once, and how many were left out.
final class LimitedLog: Sendable {
    private struct State {
        var bucket: TokenBucket
        var leftOut = 0
    }

    private static let rate = RateLimit(perSecond: 1)

    private let logger: Logger
    private let state: Mutex<State>

    init(_ logger: Logger, now: NIODeadline = .now()) {
        self.logger = logger
        state = Mutex(State(bucket: TokenBucket(rate: Self.rate, now: now)))
    }

    func warning(
        _ message: @autoclosure () -> Logger.Message, metadata: @autoclosure () -> Logger.Metadata = [:],
        now: NIODeadline = .now()
    ) {
        write(.warning, message, metadata, now)
    }

    func info(
        _ message: @autoclosure () -> Logger.Message, metadata: @autoclosure () -> Logger.Metadata = [:],
        now: NIODeadline = .now()
    ) {
        write(.info, message, metadata, now)
    }

    private func write(
        _ level: Logger.Level, _ message: () -> Logger.Message, _ metadata: () -> Logger.Metadata, _ now: NIODeadline
    ) {
        let leftOut: Int? = state.withLock { state in
            guard state.bucket.take(Self.rate, now: now) == nil else {
                state.leftOut += 1
                return nil
            }
            defer { state.leftOut = 0 }
            return state.leftOut
        }
        guard let leftOut else { return }
        var metadata = metadata()
        if leftOut > 0 { metadata["left-out"] = "\(leftOut)" }
        logger.log(level: level, message(), metadata: metadata)
    }
}
