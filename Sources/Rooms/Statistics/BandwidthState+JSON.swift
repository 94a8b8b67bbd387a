import RoundhouseMedia

extension BandwidthState {
    /// Bits per second; times in milliseconds; losses as shares (0…1).
    var json: JSONValue {
        .fields([
            "estimate": .count(estimate), "cause": .string("\(cause)"), "acknowledged": .count(acknowledged),
            "proven": .count(proven), "ceiling": ceiling.map { .count($0) },
            "queue": .normalized(Double(queue.nanoseconds) / 1e6), "loss": .normalized(Double(loss) / 65_536),
            "inherentLoss": .normalized(Double(inherentLoss) / 65_536),
            "roundTripTime": roundTripTime.map { .normalized(Double($0.nanoseconds) / 1e6) },
            "verdict": .string("\(verdict)"), "lossClass": .string("\(lossClass)"),
            "isApplicationLimited": .bool(isApplicationLimited),
        ])
    }
}
