/// Collects the families of metrics and their samples.
struct MetricsPage {
    private(set) var families: [MetricFamily] = []

    /// All of them in Prometheus' text exposition format.
    var text: String { families.map(\.text).joined() }

    /// Begins a family; the samples that follow are its.
    mutating func family(_ name: String, _ kind: MetricFamily.Kind, _ help: String) {
        families.append(MetricFamily(name: name, kind: kind, help: help))
    }

    mutating func sample(_ labels: KeyValuePairs<String, String>, _ value: UInt64) { add(labels, .whole(value)) }
    mutating func sample(_ labels: KeyValuePairs<String, String>, _ value: Int) {
        add(labels, value < 0 ? .number(Double(value)) : .whole(UInt64(value)))
    }
    mutating func sample(_ labels: KeyValuePairs<String, String>, _ value: Double) { add(labels, .number(value)) }

    mutating func counter(_ name: String, _ help: String, _ value: UInt64) {
        family(name, .counter, help)
        sample([:], value)
    }

    mutating func gauge(_ name: String, _ help: String, _ value: Int) {
        family(name, .gauge, help)
        sample([:], value)
    }

    /// A histogram's samples, cumulative as the format wants them.
    /// - Parameters:
    ///   - bounds: in the metric's unit.
    ///   - counts: one more than there are bounds.
    mutating func histogram(_ labels: [(String, String)] = [], bounds: [Double], counts: [UInt64], sum: Double) {
        let labels = labels.map { (name: $0.0, value: $0.1) }
        var total: UInt64 = 0
        for (count, bound) in zip(counts, bounds.map { "\($0)" } + ["+Inf"]) {
            total &+= count
            add(MetricFamily.Sample(suffix: "_bucket", labels: labels + [("le", bound)], value: .whole(total)))
        }
        add(MetricFamily.Sample(suffix: "_sum", labels: labels, value: .number(sum)))
        add(MetricFamily.Sample(suffix: "_count", labels: labels, value: .whole(total)))
    }

    private mutating func add(_ labels: KeyValuePairs<String, String>, _ value: MetricFamily.Value) {
        add(MetricFamily.Sample(labels: labels.map { (name: $0.key, value: $0.value) }, value: value))
    }

    private mutating func add(_ sample: MetricFamily.Sample) {
        guard !families.isEmpty else { return }
        families[families.count - 1].samples.append(sample)
    }
}
