/// Which of a transport's candidates a client gets, and which of them it prefers: mediasoup's options.
public struct CandidateSelection: Sendable, Hashable {
    /// Whether it gets those of UDP, and of TCP.
    public var (enableUdp, enableTcp) = (true, true)
    /// Whether those of a protocol rank before the others.
    public var (preferUdp, preferTcp) = (false, false)

    /// All there are, as they are ranked.
    public init() {}
}

extension CandidateSelection: JSONReadable {
    /// Reads mediasoup's fields and, of its demo, `forceTcp`.
    public init(_ reader: JSONReader) throws(JSONFieldError) {
        self.init()
        enableUdp = try reader.optional("enableUdp")?.bool() ?? true
        enableTcp = try reader.optional("enableTcp")?.bool() ?? true
        preferUdp = try reader.optional("preferUdp")?.bool() ?? false
        preferTcp = try reader.optional("preferTcp")?.bool() ?? false
        if try reader.optional("forceTcp")?.bool() ?? false { (enableUdp, enableTcp) = (false, true) }
    }
}
