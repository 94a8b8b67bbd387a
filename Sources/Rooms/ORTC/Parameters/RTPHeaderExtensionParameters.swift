/// A header extension that is sent (RFC 8285).
public struct RTPHeaderExtensionParameters: Sendable, Hashable {
    /// What it means.
    public var uri: String
    /// 1…255.
    public var id: UInt8
    /// Whether it is encrypted (RFC 6904).
    public var encrypt: Bool
    /// Its own parameters.
    public var parameters: [String: CodecParameter]

    /// An extension.
    public init(uri: String, id: UInt8, encrypt: Bool = false, parameters: [String: CodecParameter] = [:]) {
        self.uri = uri
        self.id = id
        self.encrypt = encrypt
        self.parameters = parameters
    }
}
