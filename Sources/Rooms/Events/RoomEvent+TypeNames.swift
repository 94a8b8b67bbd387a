extension RoomEvent {
    /// The name of every type there is.
    public static let typeNames: Set<String> = [
        "room-opened", "room-closed", "room-locked", "room-unlocked", "peer-connected", "peer-joined", "peer-renamed",
        "peer-permissions", "peer-left", "transport-opened", "transport-changed", "transport-tuple",
        "transport-warning", "transport-warning-cleared", "transport-closed", "producer-opened", "producer-closed",
        "producer-paused", "producer-resumed", "producer-codec", "producer-unsupported", "producer-score",
        "consumer-opened", "consumer-closed", "consumer-switched", "consumer-paused", "consumer-resumed",
        "consumer-score", "consumer-layers", "transport-sctp", "data-producer-opened", "data-producer-closed",
        "data-consumer-opened", "data-consumer-closed", "active-speaker",
    ]
}
