import FoundationEssentials
import Logging
import RoundhouseRooms
import Synchronization

/// Writes down who was refused and what operators did, with the client's address: what one asks the log about afterwards.
///
/// Refusals are as many as strangers like, so that their lines are limited; operators' acts are all there.
final class AuditLog: Sendable {
    private let logger: Logger
    private let refusals: LimitedLog
    private let acts = Mutex<(last: UInt64, entries: [AuditEntry])>((0, []))

    /// Acts that are kept to be asked for; the log has all of them.
    static let limit = 256

    init(_ logger: Logger) {
        self.logger = logger
        refusals = LimitedLog(logger)
    }

    /// Whether a refusal is somebody's who is not meant to enter, rather than a mistake in a request.
    static func isRefusal(_ status: Int) -> Bool { status == 401 || status == 403 || status == 429 }

    /// A client was not let in, or an operator was none.
    /// - Returns: whether that is what an error says.
    @discardableResult
    func refused(
        _ error: RoomError, by door: String, from origin: ClientOrigin,
        _ more: @autoclosure () -> Logger.Metadata = [:]
    ) -> Bool {
        guard Self.isRefusal(error.code.httpStatus) else { return false }
        refused(by: door, from: origin) {
            more().merging(["code": "\(error.code.name)", "error": "\(error.message)"]) { own, _ in own }
        }
        return true
    }

    /// - Parameter describe: what is known of it; asked only for a line that is written.
    func refused(by door: String, from origin: ClientOrigin, _ describe: () -> Logger.Metadata) {
        refusals.warning(
            "refused",
            metadata: describe().merging(["door": "\(door)"]) { own, _ in own }
                .merging(Self.client(origin)) { own, _ in own })
    }

    /// Somebody with the rights of an operator has changed something.
    func operated(_ act: Logger.Message, from origin: ClientOrigin, _ more: Logger.Metadata) {
        let fields = more.merging(Self.client(origin)) { own, _ in own }
        logger.notice(act, metadata: fields)
        acts.withLock { acts in
            acts.last += 1
            if acts.entries.count >= Self.limit { acts.entries.removeFirst() }
            acts.entries.append(
                AuditEntry(
                    number: acts.last, time: Int64(Date().timeIntervalSince1970 * 1000), act: act.description,
                    fields: fields))
        }
    }

    /// What operators did lately, the newest first.
    var entries: [AuditEntry] { acts.withLock { $0.entries.reversed() } }

    static func client(_ origin: ClientOrigin) -> Logger.Metadata {
        origin.address.map { ["client.address": "\($0)"] } ?? [:]
    }
}
