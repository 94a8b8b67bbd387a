/// An alert (RFC 5246 §7.2), as its two bytes on the wire.
struct DTLSAlert: Equatable {
    var isFatal: Bool
    var description: UInt8

    static let closeNotify = DTLSAlert(isFatal: false, description: 0)
    static let noRenegotiation = DTLSAlert(isFatal: false, description: 100)

    init(isFatal: Bool, description: UInt8) {
        self.isFatal = isFatal
        self.description = description
    }

    /// `nil` unless the bytes are exactly one alert.
    init?(_ bytes: [UInt8]) {
        guard bytes.count == 2, bytes[0] == 1 || bytes[0] == 2 else { return nil }
        self.init(isFatal: bytes[0] == 2, description: bytes[1])
    }

    var bytes: [UInt8] { [isFatal ? 2 : 1, description] }
}
