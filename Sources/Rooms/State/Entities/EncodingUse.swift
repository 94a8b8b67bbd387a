/// How many of a simulcast producer's encodings, from the lowest, are of use to anybody: the highest layer that some consumer
/// which is not paused asks for. What networks carry plays no part: of what is not sent nobody knows whether it would fit.
struct EncodingUse {
    /// By encoding: the consumers that ask for it at most.
    private var consumers: [Int]
    /// What the producer's client was notified of last; all at first.
    private(set) var reported: Int

    /// - Parameter encodings: at least two.
    init(encodings: Int) {
        consumers = Array(repeating: 0, count: encodings)
        reported = encodings
    }

    /// The highest encoding of all.
    var highest: Int { consumers.count - 1 }

    /// From 1: the lowest is always sent, so that who comes sees something at once.
    var used: Int { (consumers.lastIndex { $0 > 0 } ?? 0) + 1 }

    /// A consumer asks for another encoding at most than before; `nil`: for none.
    mutating func move(from old: Int?, to new: Int?) {
        if let old { consumers[old] -= 1 }
        if let new { consumers[new] += 1 }
    }

    /// - Returns: the number to notify the client of, if it is news.
    mutating func takeNews() -> Int? {
        guard used != reported else { return nil }
        reported = used
        return used
    }
}
