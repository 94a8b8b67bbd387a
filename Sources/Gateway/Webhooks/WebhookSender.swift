import Dispatch
import FoundationEssentials
import Logging
import RoundhouseRooms
import Synchronization

/// Sends one receiver its events, by a thread of its own that waits for the network: nobody who has an event waits for it.
final class WebhookSender: Sendable {
    private struct State {
        var queue = WebhookQueue()
        var isEnded = false
        var wasFailing = false
    }

    private let address: WebhookAddress
    private let secret: WebhookSecret
    private let userAgent: String
    private let logger: Logger
    private let state = Mutex(State())
    /// Something has come, or it is to end.
    private let news = DispatchSemaphore(value: 0)
    private let thread = DispatchQueue(label: "webhook")
    /// Milliseconds in which a request has to be sent.
    private static let longestRequest: Int64 = 15_000

    init(_ address: WebhookAddress, _ secret: WebhookSecret, version: String, logger: Logger) {
        self.address = address
        self.secret = secret
        self.logger = logger
        userAgent = "Roundhouse/\(version)"
        thread.async { self.run() }
    }

    /// Called with the log's lock held: does not block.
    func append(_ id: RoomEventID, _ json: [UInt8]) {
        state.withLock { $0.queue.append(id: id.description, json: json) }
        news.signal()
    }

    /// What was sent, waits and was lost, for metrics.
    var figures: WebhookFigures {
        state.withLock { state in
            WebhookFigures(
                waiting: state.queue.count, isFailing: state.queue.isFailing, taken: state.queue.outcomes.taken,
                failed: state.queue.outcomes.failed, refused: state.queue.outcomes.refused, losses: state.queue.losses)
        }
    }

    /// Waits until all is delivered, a receiver that fails has failed once more, or so many seconds are over; then gives up what
    /// is left.
    func end(seconds: Double) async {
        let deadline = ContinuousClock.now + .seconds(seconds)
        let failures = figures.failed
        while ContinuousClock.now < deadline {
            let now = figures
            guard now.waiting > 0, now.failed == failures else { break }
            guard (try? await Task.sleep(for: .milliseconds(20))) != nil else { break }
        }
        let left = state.withLock { state in
            let left = state.queue.count
            state.queue.end()
            state.isEnded = true
            return left
        }
        news.signal()
        guard left > 0 else { return }
        logger.warning(
            "the server stops before a webhook's receiver has taken all events",
            metadata: ["receiver": "\(address)", "lost": "\(left)"])
    }

    private func run() {
        while true {
            let next = state.withLock { state in state.isEnded ? nil : state.queue.next(now: Self.now()) }
            switch next {
            case nil: return
            case .nothing?: news.wait()
            case .wait(let milliseconds)?: _ = news.wait(timeout: .now() + .milliseconds(Int(milliseconds)))
            case .deliver(let delivery)?: deliver(delivery)
            }
        }
    }

    private func deliver(_ delivery: WebhookQueue.Delivery) {
        let answer: Result<Int, BlockingExchange.Problem>
        do throws(BlockingExchange.Problem) {
            answer = .success(
                try BlockingExchange.status(
                    of: try request(delivery), host: address.host, port: address.port,
                    verifying: address.isEncrypted ? .certificate : nil, milliseconds: Self.longestRequest))
        } catch {
            answer = .failure(error)
        }
        let outcome = WebhookQueue.Outcome(status: try? answer.get())
        let (lost, wasFailing) = state.withLock { state in
            let before = state.queue.losses[.overflow] ?? 0
            state.queue.ended(outcome, now: Self.now())
            defer { state.wasFailing = outcome == .failed }
            return (before, state.wasFailing)
        }
        report(delivery, outcome, answer, lost: lost, wasFailing: wasFailing)
    }

    private func report(
        _ delivery: WebhookQueue.Delivery, _ outcome: WebhookQueue.Outcome,
        _ answer: Result<Int, BlockingExchange.Problem>, lost: UInt64, wasFailing: Bool
    ) {
        let words =
            switch answer {
            case .success(let status): "it answered \(status)"
            case .failure(let problem): problem.description
            }
        let known: Logger.Metadata = ["receiver": "\(address)", "webhook.id": "\(delivery.id)", "why": "\(words)"]
        switch outcome {
        case .failed where !wasFailing: logger.warning("a webhook's receiver fails: its events wait", metadata: known)
        case .refused:
            logger.warning(
                "a webhook's receiver refuses events for good: they are not sent again",
                metadata: known.merging(["events": "\(delivery.count)"]) { own, _ in own })
        case .taken where wasFailing:
            logger.notice(
                "a webhook's receiver takes events again",
                metadata: ["receiver": "\(address)", "lost-so-far": "\(lost)"])
        case .failed, .taken: break
        }
    }

    /// As Standard Webhooks has it.
    private func request(_ delivery: WebhookQueue.Delivery) throws(BlockingExchange.Problem) -> [UInt8] {
        let time = Int64(Date().timeIntervalSince1970)
        guard let signature = secret.signature(id: delivery.id, time: time, body: delivery.body) else {
            throw BlockingExchange.Problem("libcrypto does not sign with HMAC-SHA-256")
        }
        let head = """
            POST \(address.target) HTTP/1.1\r
            Host: \(address.authority)\r
            User-Agent: \(userAgent)\r
            Content-Type: application/json\r
            Content-Length: \(delivery.body.count)\r
            webhook-id: \(delivery.id)\r
            webhook-timestamp: \(time)\r
            webhook-signature: \(signature)\r
            Connection: close\r
            \r

            """
        return Array(head.utf8) + delivery.body
    }

    /// Of a clock that nobody sets, in milliseconds.
    private static func now() -> Int64 { Int64(DispatchTime.now().uptimeNanoseconds / 1_000_000) }
}
