import NIOCore

/// Where long messages are read: few at a time, however many clients send them, so that short ones always find a thread.
///
/// Reading a message suspends nowhere, and the threads that tasks run on are as few as cores.
final class ReadingLane: Sendable {
    /// Shorter messages take no longer to read than to wait for.
    static let shortBytes = 4096

    private let semaphore: AsyncSemaphore

    init(width: Int = max(1, System.coreCount / 2)) { semaphore = AsyncSemaphore(limit: .max, width: width) }

    func read<Result: Sendable>(bytes: Int, _ work: () -> Result) async -> Result {
        guard bytes > Self.shortBytes else { return work() }
        // No limit, so it is never `nil`; and what has no turn is read without.
        return await semaphore.run { work() } ?? work()
    }
}
