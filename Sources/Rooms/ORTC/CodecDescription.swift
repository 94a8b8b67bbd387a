import RoundhouseMedia

/// What capabilities and parameters of a codec have in common.
protocol CodecDescription {
    var mimeType: String { get }
    var clockRate: UInt32 { get }
    var channels: UInt8? { get }
    var parameters: [String: CodecParameter] { get }
}

extension RTPCodecCapability: CodecDescription {}

extension RTPCodecParameters: CodecDescription {}

extension CodecDescription {
    var mime: String { mimeType.lowercased() }
    var isRTX: Bool { mime.hasSuffix("/rtx") }
    /// The payload type an RTX codec repairs (RFC 4588 §8.6).
    var apt: Int? { parameters["apt"]?.integerValue }

    /// Codecs that carry no media of their own.
    var isRepair: Bool {
        ["/rtx", "/ulpfec", "/flexfec", "/flexfec-03", "/red"].contains { mime.hasSuffix($0) }
    }

    var codecKind: CodecKind { CodecKind(mimeType: mimeType) }
}
