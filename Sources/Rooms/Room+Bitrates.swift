import RoundhouseMedia

extension Room {
    /// Changes what a transport may be sent and its client may send, at once.
    /// - Returns: `false` if there is no such transport.
    /// - Throws: `RoomError` with code `invalidParameters` for values that cannot be, `wrongState` if one limit excludes the other,
    ///   for plain transports and if nobody asks what networks carry, or `overloaded`; then nothing changes.
    public func changeBitrates(
        of id: TransportID, _ change: @Sendable (inout TransportBitrates) -> Void
    ) throws(RoomError) -> Bool {
        guard let transport = state.transports[id] else { return false }
        var bitrates = transport.bitrates
        change(&bitrates)
        guard bitrates != transport.bitrates else { return true }
        try bitrates.validate()
        guard transport.plain == nil else {
            throw RoomError(.wrongState, "transport \"\(id)\" is plain: its client says nothing of its network")
        }
        var limits = state.configuration.outgoingLimits
        guard limits != nil || bitrates.maximumOutgoing == nil && bitrates.minimumOutgoing == nil else {
            throw RoomError(
                .wrongState,
                "maxOutgoingBitrate, minOutgoingBitrate: this server does not ask what networks carry (--bandwidth)")
        }
        limits?.maximum = bitrates.maximumOutgoing
        limits?.minimum = bitrates.minimumOutgoing
        do {
            try media.setBitrateLimits(of: transport.key, limits, incoming: bitrates.maximumIncoming)
        } catch {
            throw RoomError(error)
        }
        state.transports[id]?.bitrates = bitrates
        return true
    }
}
