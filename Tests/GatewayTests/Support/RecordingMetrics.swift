import CoreMetrics
import Synchronization

/// A backend of swift-metrics that keeps what it is given: counters and meters by name and labels.
final class RecordingMetrics: MetricsFactory {
    struct State {
        /// `name{label=value}` → its value.
        var values: [String: Double] = [:]
        var destroyed: Set<String> = []
        /// Counters that went down, which is never right.
        var fallen: Set<String> = []
    }

    private final class Handler: CounterHandler, FloatingPointCounterHandler, MeterHandler, RecorderHandler,
        TimerHandler
    {
        private let name: String
        private let owner: RecordingMetrics

        init(_ name: String, _ owner: RecordingMetrics) {
            self.name = name
            self.owner = owner
        }

        func increment(by amount: Int64) { add(Double(amount)) }
        func increment(by amount: Double) { add(amount) }
        func decrement(by amount: Double) { owner.state.withLock { $0.values[name, default: 0] -= amount } }
        func reset() { owner.state.withLock { $0.values[name] = 0 } }
        func set(_ value: Int64) { set(Double(value)) }
        func set(_ value: Double) { owner.state.withLock { $0.values[name] = value } }
        func record(_ value: Int64) { set(Double(value)) }
        func record(_ value: Double) { set(value) }
        func recordNanoseconds(_ duration: Int64) { set(Double(duration)) }
        func destroyed() { owner.state.withLock { _ = $0.destroyed.insert(name) } }

        private func add(_ amount: Double) {
            owner.state.withLock { state in
                if amount < 0 { state.fallen.insert(name) }
                state.values[name, default: 0] += amount
            }
        }
    }

    let state = Mutex(State())

    var values: [String: Double] { state.withLock { $0.values } }

    private func handler(_ label: String, _ dimensions: [(String, String)]) -> Handler {
        let labels = dimensions.map { "\($0.0)=\($0.1)" }.joined(separator: ",")
        return Handler(labels.isEmpty ? label : "\(label){\(labels)}", self)
    }

    func makeCounter(label: String, dimensions: [(String, String)]) -> any CounterHandler {
        handler(label, dimensions)
    }
    func makeFloatingPointCounter(
        label: String, dimensions: [(String, String)]
    ) -> any FloatingPointCounterHandler { handler(label, dimensions) }
    func makeMeter(label: String, dimensions: [(String, String)]) -> any MeterHandler { handler(label, dimensions) }
    func makeRecorder(label: String, dimensions: [(String, String)], aggregate: Bool) -> any RecorderHandler {
        handler(label, dimensions)
    }
    func makeTimer(label: String, dimensions: [(String, String)]) -> any TimerHandler { handler(label, dimensions) }
    func destroyCounter(_ handler: any CounterHandler) { (handler as? Handler)?.destroyed() }
    func destroyFloatingPointCounter(_ handler: any FloatingPointCounterHandler) { (handler as? Handler)?.destroyed() }
    func destroyMeter(_ handler: any MeterHandler) { (handler as? Handler)?.destroyed() }
    func destroyRecorder(_ handler: any RecorderHandler) { (handler as? Handler)?.destroyed() }
    func destroyTimer(_ handler: any TimerHandler) { (handler as? Handler)?.destroyed() }
}
