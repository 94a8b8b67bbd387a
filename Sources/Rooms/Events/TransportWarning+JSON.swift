public import RoundhouseMedia

extension TransportWarning: JSONRepresentable {
    /// What is wrong, and what to look at, for an operator.
    public var message: String {
        switch kind {
        case .nothingReceived:
            "nothing has come of what the client announced: look whether its sender runs, its track is live, and the way "
                + "to the server's UDP port is open"
        case .unmatchedPackets:
            "packets come that belong to no producer: their SSRC was not announced, and neither MID, RID nor payload type "
                + "says whose they are; announce the SSRC in encodings, or send the MID header extension"
        case .unknownPayloadType:
            "packets come in a payload type that their producer did not announce: compare the sender's with the producer's "
                + "codecs"
        case .undecryptablePackets:
            "packets come that cannot be decrypted: the client protects them with other keys than those negotiated"
        case .foreignPackets:
            "packets come from a different address than the transport's client: a sender that was restarted, or "
                + "elsewhere, needs a transport of its own"
        case .noKeyFrame:
            "pictures come without a key frame, and nobody can begin to see them: let the encoder make one every few "
                + "seconds, with its parameter sets in the stream"
        case .largePackets:
            "RTP packets of more than 1,200 bytes come, and what SRTP and header extensions add may keep them from paths that "
                + "carry 1,500: let the sender make shorter ones (ffmpeg: ?pkt_size=1200 in its URL)"
        case .unhelpfulKeyFrames:
            "the client asks for key frames again and again, although it lost nothing: it cannot decode the stream of this "
                + "SSRC; its requests are heeded more and more seldom, down to one in half a minute"
        case .destinationNotAllowed:
            "no RTP is sent to \(remoteAddress ?? "its client"), which is not the address that asked for the transport: "
                + "allow it with --plain-destinations"
        }
    }

    /// The warning as the HTTP API shows it.
    public var json: JSONValue {
        .fields([
            "code": .string(kind.rawValue), "message": .string(message), "packets": .integer(Int64(packets)),
            "ssrc": ssrc.map { .integer(Int64($0.rawValue)) },
            "payloadType": payloadType.map { .integer(Int64($0)) },
            "remoteIp": remoteAddress.map { .string($0) },
        ])
    }
}
