public import RoundhouseMedia

/// Where the gateway listens and what it lets one client take.
///
/// Every limit exists because the other side of it is a stranger: the defaults suit a public server.
public struct GatewayConfiguration: Sendable {
    /// The address to bind: an IPv4 or IPv6 literal or a host name.
    public var host: String
    /// The TCP port for HTTP and WebSocket; 0 lets the kernel choose.
    public var port: Int
    /// The certificate for clients that speak TLS, on the same port; `nil` refuses TLS.
    public var tls: TLSSettings?
    /// What becomes of requests without TLS, if there is a certificate. Programs of this machine and probes are always answered.
    public var plainHTTP = PlainHTTP.redirect
    /// What clients may use.
    public var limits: GatewayLimits
    /// Access: who may connect, and from where.
    public var access: AccessConfiguration
    /// What opens `/api/v1` to a client that gives it; `nil` or empty leaves reading to this machine, and changing to nobody.
    public var adminToken: Secret?
    /// What opens `/metrics` to a client that gives it; `nil` or empty leaves it to this machine.
    public var metricsToken: Secret?
    /// The TURN server for clients that UDP does not reach.
    public var turn = TURNConfiguration()
    /// Receivers of the events of rooms.
    public var webhooks = WebhookConfiguration()
    /// How often a backend of swift-metrics is given the server's metrics, if the program has one.
    public var metricsInterval = Duration.seconds(5)

    /// The defaults: port 3016 on every IPv4 address, without TLS.
    public init(
        host: String = "0.0.0.0", port: Int = 3016, tls: TLSSettings? = nil, limits: GatewayLimits = GatewayLimits(),
        access: AccessConfiguration = AccessConfiguration()
    ) {
        self.host = host
        self.port = port
        self.tls = tls
        self.limits = limits
        self.access = access
    }
}
