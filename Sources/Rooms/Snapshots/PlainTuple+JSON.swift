import RoundhouseMedia

extension PlainTuple {
    /// mediasoup's shape, with the older `localIp`; the client's side is absent until it is known.
    var json: JSONValue {
        .fields([
            "localAddress": .string(localAddress), "localIp": .string(localAddress),
            "localPort": .integer(Int64(localPort)), "remoteIp": remoteAddress.map { .string($0) },
            "remotePort": remotePort.map { .integer(Int64($0)) }, "protocol": .string("udp"),
        ])
    }
}
