import RoundhouseMedia

extension TransportTuple {
    /// mediasoup's shape, with the older `localIp`.
    var json: JSONValue {
        .object([
            "localAddress": .string(localAddress), "localIp": .string(localAddress),
            "localPort": .integer(Int64(localPort)), "remoteIp": .string(remoteAddress),
            "remotePort": .integer(Int64(remotePort)), "protocol": .string(transport.rawValue),
        ])
    }
}
