/// What a client met that the gateway bounds; the names are labels of a metric.
enum GatewayLimit: String, CaseIterable {
    case connections
    case connectionsPerAddress = "connections_per_address"
    case sessionsPerAddress = "sessions_per_address"
    case memoryPerAddress = "memory_per_address"
    case roomNamesPerAddress = "room_names_per_address"
    /// Tokens that are none, and wrong passwords.
    case failures = "failures_per_second"
    case requestRate = "requests_per_second"
    case messageRate = "messages_per_second"
    case messageBytes = "message_bytes_per_second"
    case changes = "changes_per_second"
    /// Messages that are none.
    case faults
    case messageSize = "message_size"
    case bodySize = "body_size"
    case connectionBodies = "connection_bodies"
    case origin
}
