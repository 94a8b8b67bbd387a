import RoundhouseMedia

/// Whether two codecs are the same, and under which profile.
struct CodecMatch {
    /// H.264 only: what the answer to `a` says.
    let profileLevelID: H264ProfileLevelID.Answer?

    /// - Parameter isStrict: also compares what makes streams of one codec undecodable to each other: H.264's
    ///   packetization mode and profile, VP9's profile.
    /// - Returns: `nil` if they do not match.
    init?(_ a: some CodecDescription, _ b: some CodecDescription, isStrict: Bool) {
        guard a.mime == b.mime, a.clockRate == b.clockRate, a.channels == b.channels else { return nil }
        var answer: H264ProfileLevelID.Answer?
        if a.mime == "audio/multiopus" {
            for name in ["num_streams", "coupled_streams"] where a.parameters[name]?.text != b.parameters[name]?.text {
                return nil
            }
        }
        if isStrict {
            let codec = a.codecKind
            for name in codec.decisiveParameters
            where (a.parameters[name]?.integerValue ?? 0) != (b.parameters[name]?.integerValue ?? 0) { return nil }
            if codec == .h264 {
                guard let found = H264ProfileLevelID.answer(local: a.parameters, remote: b.parameters) else {
                    return nil
                }
                answer = found
            }
        }
        profileLevelID = answer
    }
}
