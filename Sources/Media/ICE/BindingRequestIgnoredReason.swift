/// Why a STUN message got no answer.
enum BindingRequestIgnoredReason: Equatable, Sendable {
    case malformed(WireError)
    /// Indications and responses: an ICE-lite agent sends no requests.
    case notARequest
    case closed
    /// The writer has no room for the response.
    case noSpace
}
