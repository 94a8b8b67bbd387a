/// The program a client runs, as it describes itself.
public struct DeviceDescription: Sendable, Hashable {
    /// `chrome`, `firefox`, `broadcaster`, …
    public var flag: String?
    /// For people.
    public var name: String?
    /// For people.
    public var version: String?

    /// A description.
    public init(flag: String? = nil, name: String? = nil, version: String? = nil) {
        self.flag = flag
        self.name = name
        self.version = version
    }
}
