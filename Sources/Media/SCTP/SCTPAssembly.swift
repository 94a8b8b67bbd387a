/// What has arrived of one message, or of a stream's unordered messages, which DATA tells apart by nothing but the order of
/// their fragments.
struct SCTPAssembly {
    enum Addition {
        /// Kept, and so much more is held.
        case stored(Int)
        /// The run at this place is a whole message now, and so much more is held.
        case completed(Int, held: Int)
        /// In a place that is taken: the peer contradicts itself.
        case contradiction
    }

    /// The stream sequence number or message identifier; 0 for DATA's unordered messages.
    let number: UInt32
    /// In order, apart from each other or of different messages.
    private(set) var runs: [SCTPFragmentRun] = []

    init(number: UInt32) { self.number = number }

    var held: Int { runs.reduce(0) { $0 + $1.held } }
    var isComplete: Bool { runs.count == 1 && runs[0].isComplete }

    private static func isBefore(_ a: UInt32, _ b: UInt32) -> Bool { Int32(bitPattern: a &- b) < 0 }

    /// - Parameter limit: the longest message that is kept; of a longer one the places are noted only.
    mutating func add(
        _ header: SCTPDataHeader, _ payload: UnsafeRawBufferPointer, limit: Int
    ) -> Addition {
        let position = header.isInterleaved ? header.fragment : header.tsn.rawValue
        let isFirst = header.flags.contains(.beginning)
        let isLast = header.flags.contains(.end)
        var (low, high) = (0, runs.count)
        if let last = runs.last, !Self.isBefore(position, last.end) { low = high }
        while low < high {
            let middle = (low + high) / 2
            if Self.isBefore(position, runs[middle].start) { high = middle } else { low = middle + 1 }
        }
        var index = low - 1
        var held = 0
        if index >= 0, Self.isBefore(position, runs[index].end) { return .contradiction }
        if index >= 0, runs[index].end == position, !runs[index].hasLast, !isFirst {
            held += unsafe append(payload, to: index, limit: limit)
            runs[index].end = position &+ 1
            runs[index].hasLast = isLast
        } else {
            index += 1
            let isOversize = payload.count > limit
            let run = SCTPFragmentRun(
                start: position, end: position &+ 1, payload: isOversize ? [] : unsafe Array(payload),
                payloadProtocol: header.payloadProtocol, hasFirst: isFirst, hasLast: isLast, isOversize: isOversize)
            held += run.held
            runs.insert(run, at: index)
        }
        let next = index + 1
        if next < runs.count, runs[index].end == runs[next].start, !runs[index].hasLast, !runs[next].hasFirst {
            held += merge(next, limit: limit)
        }
        return runs[index].isComplete ? .completed(index, held: held) : .stored(held)
    }

    /// - Returns: how much more is held.
    private mutating func append(_ payload: UnsafeRawBufferPointer, to index: Int, limit: Int) -> Int {
        if runs[index].isOversize { return 0 }
        guard runs[index].payload.count + payload.count <= limit else { return forget(index) }
        unsafe runs[index].payload.append(contentsOf: payload)
        return payload.count
    }

    /// The message is too long: only its places are kept.
    private mutating func forget(_ index: Int) -> Int {
        let count = runs[index].payload.count
        runs[index].payload = []
        runs[index].isOversize = true
        return -count
    }

    /// Puts a run to the end of the one before it.
    private mutating func merge(_ index: Int, limit: Int) -> Int {
        let later = runs.remove(at: index)
        var held = -SCTPFragmentRun.overhead
        runs[index - 1].end = later.end
        runs[index - 1].hasLast = later.hasLast
        if runs[index - 1].isOversize || later.isOversize
            || runs[index - 1].payload.count + later.payload.count > limit
        {
            held -= later.payload.count
            if !runs[index - 1].isOversize { held += forget(index - 1) }
        } else {
            runs[index - 1].payload += later.payload
        }
        return held
    }

    mutating func remove(at index: Int) -> SCTPFragmentRun { runs.remove(at: index) }

    /// Forgets what can never become a message, since fragments up to `tsn` do not come any more.
    /// - Returns: how much less is held.
    mutating func removeDead(upTo tsn: TSN) -> Int {
        var freed = 0
        runs.removeAll { run in
            let isCutOff = !run.hasFirst && TSN(run.start).distance(from: tsn) <= 1
            let isOver = !run.hasLast && TSN(run.end).distance(from: tsn) <= 0
            if isCutOff || isOver { freed += run.held }
            return isCutOff || isOver
        }
        return freed
    }
}

extension SCTPAssembly: Restorable {
    init(restoring reader: inout SnapshotReader) throws(WireError) {
        number = try reader.readUInt32()
        for _ in 0..<(try reader.readUInt32()) { runs.append(try reader.read()) }
        guard !runs.isEmpty else { throw .malformed }
    }

    func write(to writer: inout SnapshotWriter) {
        writer.writeUInt32(number)
        writer.writeUInt32(UInt32(clamping: runs.count))
        for run in runs { writer.write(run) }
    }
}
