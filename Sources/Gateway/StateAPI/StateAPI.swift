import HTTPTypes
import Rooms

/// The server's state as JSON, for people and dashboards.
struct StateAPI: Sendable {
    let registry: RoomRegistry

    /// `GET /rooms`.
    func rooms() -> OutgoingResponse {
        OutgoingResponse(json: .object(["rooms": .array(registry.list().map(\.json))]))
    }

    /// `GET /rooms/{id}`.
    func room(_ name: String) async -> OutgoingResponse {
        guard let room = registry.room(RoomID(name)) else {
            return .failure(.notFound, code: "room-not-found", "no room of this name has a peer")
        }
        return OutgoingResponse(json: await room.snapshot().json)
    }
}
