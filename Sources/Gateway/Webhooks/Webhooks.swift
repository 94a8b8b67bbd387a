import Logging
import RoundhouseRooms
import Synchronization

/// Sends the events of all rooms to those whom the operator has named.
final class Webhooks: Sendable {
    private let senders: [WebhookSender]
    private let log: RoomEventLog
    private let subscription = Mutex<RoomEventLog.Subscription?>(nil)

    /// Begins with the server's first event.
    init(_ configuration: WebhookConfiguration, log: RoomEventLog, version: String, logger: Logger) {
        self.log = log
        senders =
            configuration.secret.map { secret in
                configuration.addresses.map { WebhookSender($0, secret, version: version, logger: logger) }
            } ?? []
        guard !senders.isEmpty else { return }
        log.subscribe { start in
            subscription.withLock { $0 = start.subscription }
        } deliver: { [senders, types = configuration.types] event in
            guard types?.contains(event.kind.name) ?? true else { return true }
            let json = event.json.serialized
            for sender in senders { sender.append(event.id, json) }
            return true
        }
    }

    /// In the order of the configuration.
    var figures: [WebhookFigures] { senders.map(\.figures) }

    /// Waits a moment for what is on its way, and sends no more.
    func close(seconds: Double = 3) async {
        guard let subscription = subscription.withLock({ $0.take() }) else { return }
        log.unsubscribe(subscription)
        await withTaskGroup(of: Void.self) { group in
            for sender in senders { group.addTask { await sender.end(seconds: seconds) } }
        }
    }
}
