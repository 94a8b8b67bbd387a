/// A section of data channels (RFC 8841).
extension OfferedMedia {
    /// What every peer uses, so that there is nothing to tell associations apart by.
    static let sctpPort = 5000
    /// What a client takes that says nothing of it (RFC 8841 §6.1).
    private static let usualMessage: UInt32 = 65_536

    /// Whether an answer may take it.
    func hasChannels(in bundle: [String]) -> Bool {
        description.media == "application"
            && ["UDP/DTLS/SCTP", "TCP/DTLS/SCTP"].contains(description.transport)
            && description.formats == ["webrtc-datachannel"] && bundle.contains(mid) && !isOff
            && SDPAttributes(description.attributes).first("sctp-port")?.value == "\(Self.sctpPort)"
    }

    /// The longest message that the client takes, in bytes; `nil` if there is no limit.
    var largestMessage: UInt32? {
        guard let attribute = SDPAttributes(description.attributes).first("max-message-size") else {
            return Self.usualMessage
        }
        guard let value = attribute.value.flatMap({ UInt64($0) }) else { return Self.usualMessage }
        return value == 0 ? nil : UInt32(min(value, 1 << 29))
    }
}

extension SDPOffer {
    /// Where the client offers data channels: a transport has one association, and so one such section.
    var channels: OfferedMedia? { media.first { $0.hasChannels(in: bundle) } }
}
