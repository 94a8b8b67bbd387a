public import RoundhouseMedia

/// Only in tests does a secret stand in the source.
extension Secret: ExpressibleByStringLiteral {
    /// Hides a literal.
    public init(stringLiteral text: String) { self.init(text) }
}
