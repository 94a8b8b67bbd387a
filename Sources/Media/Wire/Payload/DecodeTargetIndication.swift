/// What a frame is to one decode target (AV1 RTP specification, table A.1).
enum DecodeTargetIndication: UInt8, Hashable, Sendable {
    /// The frame is no part of the decode target.
    case notPresent
    /// No later frame of the decode target refers to it.
    case discardable
    /// A receiver that can decode this frame can decode all later frames of the decode target.
    case switchPoint
    case required
}
