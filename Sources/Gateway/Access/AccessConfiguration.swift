/// Access to the gateway: by whom, from where, and how fast. May be replaced while it runs.
public struct AccessConfiguration: Sendable {
    /// What tokens are signed with, the one that signs first; without any, everybody may enter every room.
    public var keys: [AccessKey] = []
    /// What tokens have to say beside their signature.
    public var tokenRules = TokenRules()
    /// Origins whose pages may use the server from a browser, beside its own; `any` for every page.
    public var allowedOrigins: [String] = []
    /// Proxies whose `X-Forwarded-For` is believed.
    public var trustedProxies: [AddressRange] = []
    /// Addresses that the limits by address do not count.
    public var unlimitedAddresses: [AddressRange] = AddressRange.loopback

    /// The defaults: open to everybody.
    public init() {}

    /// Whether a text is an origin as a browser sends it, `https://example.com`, with a port if it is not the usual; or `any`.
    public static func isOrigin(_ text: String) -> Bool { OriginPolicy.isAny(text) || OriginPolicy.isOrigin(text) }
}
