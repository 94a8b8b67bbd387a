import RoundhouseRooms

/// What an event is answered with.
enum SocketIOAnswer {
    case none
    /// An answer without a value.
    case done
    case value(JSONValue, then: SocketIOPacket? = nil)

    /// The answer by whichever way the client left open.
    /// - Parameters:
    ///   - id: of the acknowledgement that the client wants.
    ///   - peer: the client's own name.
    func packets(to name: String, _ id: UInt64?, from peer: String) -> [SocketIOPacket] {
        switch self {
        case .none: return []
        case .done: return id.map { [.ack($0, [])] } ?? []
        case .value(var value, let then):
            var packets: [SocketIOPacket] = []
            if let id {
                packets.append(.ack(id, [value]))
            } else if SocketIOEvent.namesWithCallback.contains(name) {
                if name == "consume", case .object(var fields) = value, fields["error"] == nil {
                    fields["peerId"] = .string(peer)
                    value = .object(fields)
                }
                packets.append(.event(name + " callback", [value]))
            }
            if let then { packets.append(then) }
            return packets
        }
    }
}
