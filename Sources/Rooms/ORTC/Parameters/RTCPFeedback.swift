/// An RTCP feedback mechanism: a type such as `nack` with a parameter such as `pli` (RFC 4585 §4.2).
public struct RTCPFeedback: Sendable, Hashable {
    /// `nack`, `ccm`, `goog-remb`, `transport-cc`, ….
    public var type: String
    /// `pli`, `fir` or empty.
    public var parameter: String

    /// A mechanism.
    public init(type: String, parameter: String = "") {
        self.type = type
        self.parameter = parameter
    }
}
