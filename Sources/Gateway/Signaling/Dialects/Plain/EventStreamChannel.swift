import RoundhouseRooms

/// Server-Sent Events as a session's channel: each event's data is a message of the dialect, its id the message's number.
struct EventStreamChannel: SignalingChannel {
    let stream: EventStream

    func send(_ text: String, number: UInt64?) {
        stream.send(ServerSentEvent(id: number.map(String.init), data: text))
    }

    func close(_ reason: PeerCloseReason) { end(reason.rawValue) }
    func superseded() { end("resumed-by-a-newer-connection") }

    private func end(_ reason: String) {
        let message = JSONValue.object([
            "notification": .bool(true), "method": .string("sessionClosed"),
            "data": .object(["reason": .string(reason)]),
        ])
        stream.send(ServerSentEvent(data: message.text))
        stream.finish()
    }
}
