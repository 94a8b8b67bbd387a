import RoundhouseRooms

/// An `extmap` line (RFC 8285 §5).
struct OfferedExtension: Sendable, Hashable {
    var id: UInt8
    var uri: String
    /// As the offerer sees it; `nil` if it says nothing, which means both.
    var direction: HeaderExtensionDirection?
}
