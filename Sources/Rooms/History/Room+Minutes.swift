extension Room {
    /// The last hour, minute by minute, the newest last.
    public var lastHour: [RoomMinute] { minutes.minutes }

    /// Ends a minute of the room's history.
    func endMinute() async {
        let collected = await collect(Array(state.transportIDs.keys))
        guard !state.isClosed else { return }
        minutes.take(collected, of: state, openedAt: openedAt, until: wallClock())
    }
}
