import RoundhouseMedia

extension TransportTuple {
    /// mediasoup's shape, with the older `localIp`, and how the client reaches the TURN server, if it does.
    var json: JSONValue {
        .fields([
            "localAddress": .string(localAddress), "localIp": .string(localAddress),
            "localPort": .integer(Int64(localPort)), "remoteIp": .string(remoteAddress),
            "remotePort": .integer(Int64(remotePort)), "protocol": .string(transport.rawValue),
            "relay": relay.map { .string($0.rawValue) },
        ])
    }
}
