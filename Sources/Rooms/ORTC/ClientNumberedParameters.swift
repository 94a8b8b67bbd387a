import RoundhouseMedia

/// A consumer's parameters for a client that keeps numbers of its own.
struct ClientNumberedParameters {
    /// In the router's numbers, without what the client has no number for.
    var router: RTPParameters
    /// In the client's.
    var client: RTPParameters
    var numbering: ConsumerIDMapping
}
