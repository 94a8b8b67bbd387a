import Synchronization

/// How much memory one address may have in the server; may be exchanged while loans are out.
final class MemoryLimit: Sendable {
    private let value: Atomic<Int>

    init(_ bytes: Int) { value = Atomic(bytes) }

    /// For addresses without limits. What they have is counted all the same.
    static var none: MemoryLimit { MemoryLimit(.max) }

    var bytes: Int {
        get { value.load(ordering: .relaxed) }
        set { value.store(newValue, ordering: .relaxed) }
    }
}
