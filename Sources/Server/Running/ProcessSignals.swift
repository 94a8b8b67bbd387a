import Dispatch

#if canImport(Glibc)
    import Glibc
#elseif canImport(Musl)
    import Musl
#endif

/// Signals that the process is sent, in the order in which they come; none of them ends it by itself any more.
final class ProcessSignals: Sendable {
    /// The signals' numbers. It never ends; one task at a time may read it.
    let stream: AsyncStream<Int32>
    // Safe: only held, since a source that nobody holds is canceled.
    nonisolated(unsafe) private let sources: [any DispatchSourceSignal]

    /// Returns once the signals are caught.
    init(_ signals: [Int32]) async {
        let (stream, continuation) = AsyncStream.makeStream(of: Int32.self)
        self.stream = stream
        sources = signals.map { DispatchSource.makeSignalSource(signal: $0, queue: .global()) }
        for (signal, source) in zip(signals, sources) {
            source.setEventHandler { continuation.yield(signal) }
            await withCheckedContinuation { caught in
                source.setRegistrationHandler { caught.resume() }
                source.resume()
            }
        }
    }
}
