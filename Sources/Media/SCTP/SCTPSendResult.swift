/// What became of a message that was given to an association.
enum SCTPSendResult: Hashable, Sendable {
    case queued
    /// The association's buffer, or the stream's, has no room.
    case bufferFull
    case tooLarge
    /// SCTP has no message without bytes.
    case empty
    /// The peer does not take so many streams.
    case noSuchStream
    /// The association ends, or has ended.
    case closed
}
