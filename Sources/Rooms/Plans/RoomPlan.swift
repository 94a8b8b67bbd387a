public import RoundhouseMedia

/// What a room shall be that was made ahead: it holds whenever the room is open, until the plan ends.
public struct RoomPlan: Sendable {
    /// What whoever enters has to give; empty: nothing.
    public var password: Secret
    /// Peers that the room takes; `nil`: as many as the server's others.
    public var maximumPeers: Int?
    /// MIME types of the codecs that may be used, in lower case; empty: the server's all.
    public var codecs: Set<String>
    /// Anything that whoever made the room wants to find with it: a JSON object.
    public var metadata: JSONValue
    /// When the plan ends, in milliseconds since 1970. A room that is open then goes on with it until its last peer leaves.
    public var until: Int64

    /// Bytes that `metadata` may have as JSON.
    public static let metadataBytes = 4096

    /// A plan.
    public init(
        password: Secret = Secret(""), maximumPeers: Int? = nil, codecs: Set<String> = [],
        metadata: JSONValue = .object([:]),
        until: Int64
    ) {
        self.password = password
        self.maximumPeers = maximumPeers
        self.codecs = codecs
        self.metadata = metadata
        self.until = until
    }

    /// What of a router's capabilities the room has: the numbers stay the router's.
    func capabilities(of router: RTPCapabilities) -> RTPCapabilities {
        guard !codecs.isEmpty else { return router }
        var kept = router
        let media = router.codecs.filter { codecs.contains($0.mimeType.lowercased()) }
        let numbers = Set(media.compactMap { $0.preferredPayloadType.map(Int.init) })
        kept.codecs = router.codecs.filter { codec in
            if codecs.contains(codec.mimeType.lowercased()) { return true }
            guard case .integer(let source)? = codec.parameters["apt"] else { return false }
            return numbers.contains(source)
        }
        return kept
    }
}
