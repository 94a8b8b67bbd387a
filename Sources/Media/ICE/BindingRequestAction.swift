/// What became of a binding request.
enum BindingRequestAction: Equatable, Sendable {
    /// A success response is in the writer: send it.
    case succeeded
    /// An error response with this code is in the writer: send it.
    case rejected(code: UInt16)
    /// Nothing was written.
    case ignored(BindingRequestIgnoredReason)
}
