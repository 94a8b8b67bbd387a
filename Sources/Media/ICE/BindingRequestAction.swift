/// What became of a binding request.
enum BindingRequestAction: Equatable, Sendable {
    /// A success response is in the writer: send it.
    case succeeded
    /// The same, for a check that lacks what RFC 8445 wants in every one but a lite agent never needs.
    case succeededWithoutPriority
    /// An error response with this code is in the writer: send it.
    case rejected(code: UInt16)
    /// Nothing was written.
    case ignored(BindingRequestIgnoredReason)
}
