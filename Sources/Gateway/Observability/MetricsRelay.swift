import CoreMetrics

/// Gives the backend of swift-metrics that a program has chosen what `/metrics` shows, under the same names and labels.
///
/// Nothing is counted twice for it: it looks at the figures now and then, so that media threads know nothing of backends. The
/// buckets of histograms are counters, cumulative and labeled `le`, as Prometheus has them.
struct MetricsRelay {
    private struct Key: Hashable {
        let name: String
        /// Names and values in turn.
        let labels: [String]
    }

    private enum Instrument {
        case counter(Counter, last: UInt64)
        case sum(FloatingPointCounter, last: Double)
        case meter(Meter)
    }

    private let factory: any MetricsFactory
    private var instruments: [Key: Instrument] = [:]

    init(_ factory: any MetricsFactory) { self.factory = factory }

    /// - Parameter families: all of them, as they are now.
    mutating func report(_ families: [MetricFamily]) {
        for family in families {
            for sample in family.samples { report(sample, of: family) }
        }
    }

    /// The backend may forget them.
    mutating func end() {
        for instrument in instruments.values {
            switch instrument {
            case .counter(let counter, _): counter.destroy()
            case .sum(let sum, _): sum.destroy()
            case .meter(let meter): meter.destroy()
            }
        }
        instruments = [:]
    }

    private mutating func report(_ sample: MetricFamily.Sample, of family: MetricFamily) {
        let name = family.name + sample.suffix
        let key = Key(name: name, labels: sample.labels.flatMap { [$0.name, $0.value] })
        let instrument = instruments[key] ?? make(name, sample, family.kind)
        switch (instrument, sample.value) {
        case (.counter(let counter, let last), .whole(let value)):
            // Counters of backends go up only.
            if value > last { counter.increment(by: Int64(clamping: value - last)) }
            instruments[key] = .counter(counter, last: max(value, last))
        case (.sum(let sum, let last), .number(let value)):
            if value > last { sum.increment(by: value - last) }
            instruments[key] = .sum(sum, last: max(value, last))
        case (.meter(let meter), .whole(let value)):
            meter.set(Double(value))
            instruments[key] = instrument
        case (.meter(let meter), .number(let value)):
            meter.set(value)
            instruments[key] = instrument
        case (.counter, .number), (.sum, .whole): break
        }
    }

    private func make(_ name: String, _ sample: MetricFamily.Sample, _ kind: MetricFamily.Kind) -> Instrument {
        let labels = sample.labels.map { ($0.name, $0.value) }
        return switch (kind, sample.value) {
        case (.gauge, _): .meter(Meter(label: name, dimensions: labels, factory: factory))
        case (_, .whole): .counter(Counter(label: name, dimensions: labels, factory: factory), last: 0)
        case (_, .number): .sum(FloatingPointCounter(label: name, dimensions: labels, factory: factory), last: 0)
        }
    }
}
