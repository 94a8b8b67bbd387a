/// Receivers of the events of rooms by HTTP, and which events they get.
public struct WebhookConfiguration: Sendable {
    /// Each gets all events, from a queue of its own.
    public var addresses: [WebhookAddress] = []
    /// Signs what is sent; without one nothing is.
    public var secret: WebhookSecret?
    /// Names of the event types that are sent; `nil`: all.
    public var types: Set<String>? = Self.usualTypes

    /// Receivers that one server has at most.
    public static let mostAddresses = 8

    /// The types that say who comes and goes and what is sent, and none that come each second of a call.
    public static let usualTypes: Set<String> = [
        "room-opened", "room-closed", "room-locked", "room-unlocked", "peer-connected", "peer-joined", "peer-renamed",
        "peer-permissions", "peer-left", "producer-opened", "producer-closed", "producer-paused", "producer-resumed",
        "transport-warning", "transport-warning-cleared",
    ]

    /// Nobody is sent anything.
    public init() {}
}
