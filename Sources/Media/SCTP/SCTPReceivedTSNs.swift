/// Which numbers have arrived: everything up to one, and runs behind it.
struct SCTPReceivedTSNs {
    /// Numbers that arrived one after another, both included.
    struct Run: Hashable {
        var first: TSN
        var last: TSN
    }

    enum Verdict {
        case new, duplicate
        /// Further ahead than acknowledgements can say, or one run too many.
        case unusable
    }

    /// A gap block's offsets have 16 bits.
    static let furthest = 65_535
    static let maximumRuns = 4096
    static let maximumDuplicates = 20

    /// Everything up to here has arrived, or was given up.
    private(set) var cumulative: TSN
    /// In order, apart from each other and from `cumulative`.
    private(set) var runs: [Run] = []
    /// What came twice since the last acknowledgement.
    private(set) var duplicates: [TSN] = []

    init(before first: TSN) { cumulative = first.previous }

    var hasGap: Bool { !runs.isEmpty }

    /// The position of the first run that ends at or behind `tsn`.
    private func position(of tsn: TSN) -> Int {
        var (low, high) = (0, runs.count)
        while low < high {
            let middle = (low + high) / 2
            if runs[middle].last.distance(from: tsn) < 0 { low = middle + 1 } else { high = middle }
        }
        return low
    }

    func verdict(on tsn: TSN) -> Verdict {
        let distance = tsn.distance(from: cumulative)
        if distance <= 0 { return .duplicate }
        if distance > Self.furthest { return .unusable }
        guard !runs.isEmpty else { return .new }
        let index = position(of: tsn)
        if index < runs.count, runs[index].first.distance(from: tsn) <= 0 { return .duplicate }
        if distance == 1 || runs.count < Self.maximumRuns { return .new }
        let touchesNext = index < runs.count && runs[index].first == tsn.next
        let touchesPrevious = index > 0 && runs[index - 1].last == tsn.previous
        return touchesNext || touchesPrevious ? .new : .unusable
    }

    mutating func noteDuplicate(_ tsn: TSN) {
        if duplicates.count < Self.maximumDuplicates { duplicates.append(tsn) }
    }

    mutating func forgetDuplicates() { if !duplicates.isEmpty { duplicates = [] } }

    /// A number whose verdict is `new`.
    mutating func insert(_ tsn: TSN) {
        if tsn == cumulative.next {
            cumulative = tsn
            absorb()
            return
        }
        let index = position(of: tsn)
        let touchesNext = index < runs.count && runs[index].first == tsn.next
        if index > 0, runs[index - 1].last == tsn.previous {
            runs[index - 1].last = tsn
            if touchesNext {
                runs[index - 1].last = runs[index].last
                runs.remove(at: index)
            }
        } else if touchesNext {
            runs[index].first = tsn
        } else {
            runs.insert(Run(first: tsn, last: tsn), at: index)
        }
    }

    /// The peer has given up what is missing up to `tsn`, which is newer than `cumulative`.
    mutating func skip(to tsn: TSN) {
        cumulative = tsn
        absorb()
    }

    /// Takes runs that `cumulative` has reached.
    private mutating func absorb() {
        var count = 0
        while count < runs.count, runs[count].first.distance(from: cumulative) <= 1 {
            if runs[count].last.isNewer(than: cumulative) { cumulative = runs[count].last }
            count += 1
        }
        if count > 0 { runs.removeFirst(count) }
        if runs.isEmpty, runs.capacity > 0 { runs = [] }
    }

    /// What an acknowledgement says, with so many gap blocks and duplicates at most.
    func acknowledgement(window: UInt32, atMost limit: Int) -> SCTPSelectiveAck {
        var ack = SCTPSelectiveAck(cumulative: cumulative, window: window)
        guard hasGap || !duplicates.isEmpty else { return ack }
        ack.duplicates = Array(duplicates.prefix(limit))
        ack.blocks = runs.prefix(max(limit - ack.duplicates.count, 0)).map {
            SCTPSelectiveAck.Block(
                start: UInt16(clamping: $0.first.distance(from: cumulative)),
                end: UInt16(clamping: $0.last.distance(from: cumulative)))
        }
        return ack
    }
}

extension SCTPReceivedTSNs: Restorable {
    init(restoring reader: inout SnapshotReader) throws(WireError) {
        cumulative = try reader.read()
        var last = cumulative
        for _ in 0..<(try reader.readCount(atMost: Self.maximumRuns)) {
            let run = Run(first: try reader.read(), last: try reader.read())
            let isBehind = run.first.distance(from: last) > 1 && run.last.distance(from: run.first) >= 0
            guard isBehind, (0...Self.furthest).contains(run.last.distance(from: cumulative)) else { throw .malformed }
            runs.append(run)
            last = run.last
        }
        for _ in 0..<(try reader.readCount(atMost: Self.maximumDuplicates)) { duplicates.append(try reader.read()) }
    }

    func write(to writer: inout SnapshotWriter) {
        writer.write(cumulative)
        writer.writeCount(runs.count)
        for run in runs {
            writer.write(run.first)
            writer.write(run.last)
        }
        writer.writeCount(duplicates.count)
        for duplicate in duplicates { writer.write(duplicate) }
    }
}
