/// Puts fragments together and messages in order (RFC 9260 §6.6, §6.9; RFC 8260 §2.2).
///
/// Messages are delivered as soon as they may be; what is held are fragments and messages that wait for an earlier one. It
/// counts as bytes with an overhead for each run of fragments, which bounds memory and work alike.
struct SCTPReassembly {
    private(set) var isInterleaved: Bool
    private let largestMessage: Int
    /// The number of the next ordered message of streams that are not at 0. At most 65,536 entries, about a megabyte,
    /// from a peer that uses every stream.
    private var next: [UInt16: UInt32] = [:]
    private var pending: [UInt16: SCTPPendingStream] = [:]
    /// What waits, in bytes with overhead.
    private(set) var held = 0
    /// Messages that were thrown away, since they were too long.
    private(set) var oversize: UInt64 = 0

    init(isInterleaved: Bool, largestMessage: UInt32) {
        self.isInterleaved = isInterleaved
        self.largestMessage = Int(largestMessage)
    }

    var hasPending: Bool { !pending.isEmpty }

    private func distance(_ number: UInt32, from other: UInt32) -> Int {
        isInterleaved
            ? Int(Int32(bitPattern: number &- other)) : Int(Int16(truncatingIfNeeded: Int64(number) - Int64(other)))
    }

    private func following(_ number: UInt32) -> UInt32 { isInterleaved ? number &+ 1 : (number &+ 1) & 0xFFFF }

    /// Takes a chunk whose TSN has not been here before.
    /// - Returns: `false` if the peer contradicts itself.
    mutating func add(
        _ header: SCTPDataHeader, _ payload: UnsafeRawBufferPointer, messages: inout SCTPEventQueue
    ) -> Bool {
        let isWhole = header.flags.isSuperset(of: [.beginning, .end])
        if header.flags.contains(.unordered) {
            if isWhole {
                unsafe deliver(header.stream, header.payloadProtocol, true, payload, &messages)
                return true
            }
            return unsafe addUnordered(header, payload, &messages)
        }
        let expected = next[header.stream] ?? 0
        if header.number == expected, isWhole {
            next[header.stream] = following(expected)
            unsafe deliver(header.stream, header.payloadProtocol, false, payload, &messages)
            if !pending.isEmpty { release(header.stream, &messages) }
            return true
        }
        // It was skipped, or its place is taken.
        guard distance(header.number, from: expected) >= 0 else { return false }
        return unsafe addOrdered(header, payload, expected, &messages)
    }

    private mutating func deliver(
        _ stream: UInt16, _ payloadProtocol: PayloadProtocol, _ isUnordered: Bool, _ payload: UnsafeRawBufferPointer,
        _ messages: inout SCTPEventQueue
    ) {
        guard payload.count <= largestMessage else {
            oversize &+= 1
            return
        }
        messages.append(
            .messageReceived(
                SCTPMessage(
                    stream: stream, payloadProtocol: payloadProtocol, isUnordered: isUnordered,
                    payload: unsafe Array(payload))))
    }

    private mutating func deliver(
        _ stream: UInt16, _ run: SCTPFragmentRun, isUnordered: Bool, _ messages: inout SCTPEventQueue
    ) {
        held -= run.held
        guard !run.isOversize else {
            oversize &+= 1
            return
        }
        messages.append(
            .messageReceived(
                SCTPMessage(
                    stream: stream, payloadProtocol: run.payloadProtocol, isUnordered: isUnordered,
                    payload: run.payload)))
    }

    private mutating func addUnordered(
        _ header: SCTPDataHeader, _ payload: UnsafeRawBufferPointer, _ messages: inout SCTPEventQueue
    ) -> Bool {
        var stream = pending.removeValue(forKey: header.stream) ?? SCTPPendingStream()
        defer { if !stream.isEmpty { pending[header.stream] = stream } }
        let place = stream.unorderedPlace(of: isInterleaved ? header.number : 0)
        switch unsafe stream.unordered[place].add(header, payload, limit: largestMessage) {
        case .contradiction: return false
        case .stored(let more): held += more
        case .completed(let index, let more):
            held += more
            deliver(header.stream, stream.unordered[place].remove(at: index), isUnordered: true, &messages)
            if stream.unordered[place].runs.isEmpty { stream.unordered.remove(at: place) }
        }
        return true
    }

    private mutating func addOrdered(
        _ header: SCTPDataHeader, _ payload: UnsafeRawBufferPointer, _ expected: UInt32,
        _ messages: inout SCTPEventQueue
    ) -> Bool {
        var stream = pending.removeValue(forKey: header.stream) ?? SCTPPendingStream()
        let place = stream.place(of: header.number) { distance($0, from: expected) }
        let addition = unsafe stream.ordered[place].add(header, payload, limit: largestMessage)
        pending[header.stream] = stream
        switch addition {
        case .contradiction: return false
        case .stored(let more): held += more
        case .completed(_, let more):
            held += more
            if header.number == expected { release(header.stream, &messages) }
        }
        return true
    }

    /// Delivers what is complete and next.
    private mutating func release(_ id: UInt16, _ messages: inout SCTPEventQueue) {
        guard var stream = pending.removeValue(forKey: id) else { return }
        var expected = next[id] ?? 0
        var count = 0
        while count < stream.ordered.count, stream.ordered[count].number == expected,
            stream.ordered[count].isComplete
        {
            deliver(id, stream.ordered[count].remove(at: 0), isUnordered: false, &messages)
            expected = following(expected)
            count += 1
        }
        if count > 0 {
            next[id] = expected
            stream.ordered.removeFirst(count)
        }
        if !stream.isEmpty { pending[id] = stream }
    }

    // MARK: What is given up

    /// The peer has given up messages (RFC 3758 §3.6, RFC 8260 §2.3.1).
    /// - Parameter cumulative: nothing up to here comes any more.
    mutating func skip(_ skipped: [SCTPForwardTSN.Skipped], to cumulative: TSN, messages: inout SCTPEventQueue) {
        for skip in skipped {
            if skip.isUnordered { skipUnordered(skip) } else { skipOrdered(skip, &messages) }
        }
        // Unordered messages of DATA are not listed: what lies before the new number is over.
        guard !isInterleaved else { return }
        for id in pending.keys.sorted() {
            guard var stream = pending[id], !stream.unordered.isEmpty else { continue }
            held -= stream.unordered[0].removeDead(upTo: cumulative)
            if stream.unordered[0].runs.isEmpty { stream.unordered = [] }
            pending[id] = stream.isEmpty ? nil : stream
        }
    }

    private mutating func skipUnordered(_ skip: SCTPForwardTSN.Skipped) {
        guard var stream = pending[skip.stream] else { return }
        var freed = 0
        stream.unordered.removeAll { assembly in
            let isSkipped = distance(skip.number, from: assembly.number) >= 0
            if isSkipped { freed += assembly.held }
            return isSkipped
        }
        held -= freed
        pending[skip.stream] = stream.isEmpty ? nil : stream
    }

    private mutating func skipOrdered(_ skip: SCTPForwardTSN.Skipped, _ messages: inout SCTPEventQueue) {
        let expected = next[skip.stream] ?? 0
        guard distance(skip.number, from: expected) >= 0 else { return }
        next[skip.stream] = following(skip.number)
        guard var stream = pending.removeValue(forKey: skip.stream) else { return }
        var count = 0
        while count < stream.ordered.count, distance(skip.number, from: stream.ordered[count].number) >= 0 {
            // What is whole was not given up, and only waited.
            if stream.ordered[count].isComplete {
                deliver(skip.stream, stream.ordered[count].remove(at: 0), isUnordered: false, &messages)
            } else {
                held -= stream.ordered[count].held
            }
            count += 1
        }
        stream.ordered.removeFirst(count)
        guard !stream.isEmpty else { return }
        pending[skip.stream] = stream
        release(skip.stream, &messages)
    }

    // MARK: Reset

    /// The peer's streams begin at 0 again (RFC 6525 §5.2.2); an empty list means all of them.
    mutating func reset(_ streams: [UInt16]) {
        if streams.isEmpty {
            next = [:]
            pending = [:]
            held = 0
        }
        for id in streams {
            next[id] = nil
            held -= pending.removeValue(forKey: id)?.held ?? 0
        }
    }
}

extension SCTPReassembly: Restorable {
    init(restoring reader: inout SnapshotReader) throws(WireError) {
        isInterleaved = try reader.read()
        largestMessage = Int(try reader.read(in: 0...1 << 30 as ClosedRange<UInt32>))
        oversize = try reader.readCounter()
        var last = -1
        for _ in 0..<(try reader.read(in: 0...65_536 as ClosedRange<UInt32>)) {
            let id = try reader.readUInt16()
            guard Int(id) > last else { throw .malformed }
            last = Int(id)
            next[id] = try reader.readUInt32()
        }
        last = -1
        for _ in 0..<(try reader.read(in: 0...65_536 as ClosedRange<UInt32>)) {
            let id = try reader.readUInt16()
            guard Int(id) > last else { throw .malformed }
            last = Int(id)
            let stream: SCTPPendingStream = try reader.read()
            guard isInterleaved || stream.unordered.count <= 1 else { throw .malformed }
            held += stream.held
            pending[id] = stream
        }
    }

    func write(to writer: inout SnapshotWriter) {
        writer.write(isInterleaved)
        writer.writeUInt32(UInt32(clamping: largestMessage))
        writer.write(oversize)
        writer.writeUInt32(UInt32(clamping: next.count))
        for (id, number) in next.sorted(by: { $0.key < $1.key }) {
            writer.writeUInt16(id)
            writer.writeUInt32(number)
        }
        writer.writeUInt32(UInt32(clamping: pending.count))
        for (id, stream) in pending.sorted(by: { $0.key < $1.key }) {
            writer.writeUInt16(id)
            writer.write(stream)
        }
    }
}
