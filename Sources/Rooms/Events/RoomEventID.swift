/// An event's place among those of all rooms of one server's life. As a text, `Last-Event-ID` can carry it.
public struct RoomEventID: Sendable, Hashable, CustomStringConvertible {
    /// Distinguishes one run of the server from the next.
    let epoch: UInt32
    /// 1, 2, 3 …
    let number: UInt64

    /// Reads what `description` gives.
    public init?(_ text: String) {
        let parts = text.split(separator: "-", omittingEmptySubsequences: false)
        guard parts.count == 2, let epoch = UInt32(parts[0], radix: 16), let number = UInt64(parts[1]) else {
            return nil
        }
        self.init(epoch: epoch, number: number)
    }

    init(epoch: UInt32, number: UInt64) {
        self.epoch = epoch
        self.number = number
    }

    /// `1f00ab12-345`.
    public var description: String { String(epoch, radix: 16) + "-" + String(number) }
}
