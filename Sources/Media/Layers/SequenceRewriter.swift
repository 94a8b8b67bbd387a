/// Gives a consumer's outgoing packets consecutive numbers while sources are switched and packets are left out.
///
/// All numbers are 64-bit extended ones, so nothing wraps. An input number always maps to the same output:
///
///     in    100 101 102 103 104 105        synchronize at 7      7   8
///     drop          ×       ×
///     out    50  51      52      53                             54  55
///
/// Inputs that arrive late keep the offset of their place. Inputs that were dropped, that precede the last
/// synchronization, or that left the history, get no output.
///
/// Memory: about 100 bytes, and 2 KiB of history (the last 64 runs of kept inputs) from the first gap on.
@safe struct SequenceRewriter: ~Copyable {
    /// Where an output came from.
    struct Original: Hashable, Sendable {
        /// The caller's name for the source given to `synchronize`.
        var source: UInt8
        var extended: UInt64
    }

    static let historyCapacity = 64

    /// Consecutive inputs with one offset: `first..<first + length` became `output..<output + length`.
    fileprivate struct Run {
        var first: UInt64
        var output: UInt64
        var length: UInt32
        var source: UInt8
        /// Counts synchronizations, so that late inputs meet runs of their own source only.
        var epoch: UInt8
    }

    /// The open run: it has no end yet. `nil` until the first synchronization.
    private var open: Run?
    /// The input behind the newest one seen since the last synchronization, kept or dropped.
    private(set) var nextInput: UInt64 = 0
    /// The output for the next synchronization: behind the newest one given out.
    private(set) var nextOutput: UInt64
    private var epoch: UInt8 = 0

    // Safe: `history` owns `historyCapacity` runs; the newest `historyCount` before `historyEnd` (a running count) are
    // initialized, at their number modulo the capacity.
    private var history: UnsafeMutablePointer<Run>?
    private var historyEnd = 0
    private var historyCount = 0

    /// - Parameter firstOutput: the number of the first packet sent, random in 1...32767: a first number near 2^16 makes
    ///   receivers that miss it guess a wrong roll-over counter (RFC 3711 §3.3.1).
    init(firstOutput: UInt64) { nextOutput = firstOutput }

    deinit { unsafe history?.deallocate() }

    /// Whether a source was given.
    var isSynchronized: Bool { open != nil }
    /// The newest output given out; `nil` before the first.
    private(set) var highestOutput: UInt64?

    /// Continues behind the newest output with `input` of a (new) source.
    /// - Parameter gap: numbers to leave out, by which a receiver sees that the frame before was cut.
    mutating func synchronize(at input: UInt64, source: UInt8 = 0, gap: UInt64 = 0) {
        close()
        epoch &+= 1
        nextOutput += gap
        open = Run(first: input, output: nextOutput, length: 0, source: source, epoch: epoch)
        nextInput = input
    }

    /// The output number of an input; `nil` when the input must not be sent.
    mutating func rewrite(_ input: UInt64) -> UInt64? {
        guard let open else { return nil }
        let output: UInt64
        if input >= open.first {
            output = open.output + (input - open.first)
            nextInput = max(nextInput, input + 1)
        } else if let late = lateOutput(input) {
            output = late
        } else {
            return nil
        }
        if output >= nextOutput {
            nextOutput = output + 1
            highestOutput = output
        }
        return output
    }

    /// The output that was kept for a late input of the source before the current one.
    func lateOutput(_ input: UInt64, ofPreviousSource source: UInt8) -> UInt64? {
        guard let history = unsafe history else { return nil }
        for back in 1..<(historyCount + 1) {
            let run = unsafe history[(historyEnd - back) % Self.historyCapacity]
            if run.epoch == epoch { continue }
            guard run.epoch == epoch &- 1, run.source == source else { return nil }
            if input >= run.first {
                guard input - run.first < UInt64(run.length) else { return nil }
                return run.output + (input - run.first)
            }
        }
        return nil
    }

    /// The name of the current source.
    var source: UInt8? { open?.source }

    /// Leaves an input out and closes the gap behind it. An input older than the newest has its number already: the
    /// receiver will see a loss.
    mutating func drop(_ input: UInt64) {
        guard let current = open, input >= nextInput else { return }
        nextInput = input + 1
        // Inputs between the newest and this one may still come: their outputs stay reserved.
        let length = input - current.first
        if length > 0 { remember(current, length: length) }
        open = Run(
            first: input + 1, output: current.output + length, length: 0, source: current.source, epoch: epoch)
    }

    /// Which input became this output; `nil` for skipped and forgotten ones.
    func original(ofOutput output: UInt64) -> Original? {
        guard let open, output < nextOutput else { return nil }
        if output >= open.output {
            return Original(source: open.source, extended: open.first + (output - open.output))
        }
        guard let history = unsafe history else { return nil }
        for back in 1..<(historyCount + 1) {
            let run = unsafe history[(historyEnd - back) % Self.historyCapacity]
            if output >= run.output {
                guard output - run.output < UInt64(run.length) else { return nil }
                return Original(source: run.source, extended: run.first + (output - run.output))
            }
        }
        return nil
    }

    private func lateOutput(_ input: UInt64) -> UInt64? {
        guard let history = unsafe history else { return nil }
        for back in 1..<(historyCount + 1) {
            let run = unsafe history[(historyEnd - back) % Self.historyCapacity]
            if run.epoch != epoch { return nil }
            if input >= run.first {
                guard input - run.first < UInt64(run.length) else { return nil }
                return run.output + (input - run.first)
            }
        }
        return nil
    }

    /// Ends the open run at the newest output, and gives up the outputs that earlier runs still reserve beyond it.
    private mutating func close() {
        guard let current = open else { return }
        if nextOutput > current.output { remember(current, length: nextOutput - current.output) }
        guard let history = unsafe history else { return }
        for back in 1..<(historyCount + 1) {
            let index = (historyEnd - back) % Self.historyCapacity
            let run = unsafe history[index]
            if run.output + UInt64(run.length) <= nextOutput { return }
            unsafe history[index].length =
                run.output < nextOutput ? UInt32(truncatingIfNeeded: nextOutput - run.output) : 0
        }
    }

    private mutating func remember(_ run: Run, length: UInt64) {
        let runs: UnsafeMutablePointer<Run>
        if let history = unsafe history {
            unsafe runs = history
        } else {
            unsafe runs = .allocate(capacity: Self.historyCapacity)
            unsafe history = runs
        }
        // A run may be as long as the stream; only its recent end is ever asked for.
        let kept = min(length, UInt64(UInt32.max))
        var closed = run
        closed.first = run.first + (length - kept)
        closed.output = run.output + (length - kept)
        closed.length = UInt32(truncatingIfNeeded: kept)
        unsafe (runs + historyEnd % Self.historyCapacity).initialize(to: closed)
        historyEnd += 1
        historyCount = min(historyCount + 1, Self.historyCapacity)
    }
}

// MARK: Snapshot

extension SequenceRewriter: Restorable {
    init(restoring reader: inout SnapshotReader) throws(WireError) {
        self.init(firstOutput: 0)
        nextOutput = try reader.readCounter()
        let runs = try reader.readCount(atMost: Self.historyCapacity)
        for _ in 0..<runs {
            let run: Run = try reader.read()
            remember(run, length: UInt64(run.length))
        }
        open = try reader.readOptional()
        nextInput = try reader.readCounter()
        // What is left out lies behind the open run's beginning.
        if let open, nextInput < open.first { throw .malformed }
        epoch = try reader.read()
        highestOutput = try reader.readOptionalCounter()
    }

    func write(to writer: inout SnapshotWriter) {
        writer.write(nextOutput)
        writer.writeCount(historyCount)
        if let history = unsafe history {
            for number in historyEnd - historyCount..<historyEnd {
                unsafe writer.write(history[number % Self.historyCapacity])
            }
        }
        writer.writeOptional(open)
        writer.write(nextInput)
        writer.write(epoch)
        writer.writeOptional(highestOutput)
    }
}

extension SequenceRewriter.Run: Restorable {
    init(restoring reader: inout SnapshotReader) throws(WireError) {
        first = try reader.readCounter()
        output = try reader.readCounter()
        length = try reader.read()
        source = try reader.read()
        epoch = try reader.read()
    }

    func write(to writer: inout SnapshotWriter) {
        writer.write(first)
        writer.write(output)
        writer.write(length)
        writer.write(source)
        writer.write(epoch)
    }
}
