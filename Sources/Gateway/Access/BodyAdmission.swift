import NIOCore

/// Whether a request's body may be read.
enum BodyAdmission: Sendable, Equatable {
    case now
    /// The address may send more after so many seconds.
    case refused(seconds: Int)
    /// The address is one that is refused nothing: its bodies are read as fast as the others can bear.
    case after(TimeAmount)
}
