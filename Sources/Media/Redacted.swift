/// A type whose values show nothing of what they hold: not interpolated, not inside something else, not dumped, not as a
/// log's metadata. Loggers print more than those who call them know: a whole service, say, with its settings.
public protocol Redacted: CustomStringConvertible, CustomDebugStringConvertible, CustomReflectable {}

extension Redacted {
    /// Always the same.
    public var description: String { "(hidden)" }
    /// Always the same.
    public var debugDescription: String { "(hidden)" }
    /// Without children.
    public var customMirror: Mirror { Mirror(self, unlabeledChildren: EmptyCollection<Never>()) }
}
