/// One request to a server on this machine, as a client.
public enum HealthProbe {
    /// Asks the server that listens by this configuration.
    ///
    /// The certificate is not verified: it is the server's own machine, and names somebody else's way to it.
    /// - Returns: the status of the answer.
    /// - Throws: `GatewayError` if nobody listens, or what listens does not answer in HTTP.
    public static func ask(_ configuration: GatewayConfiguration, path: String) throws(GatewayError) -> Int {
        let (host, port) = (reachable(configuration.host), configuration.port)
        guard port != 0 else { throw GatewayError(.system, "the port is 0: any free one, which only the server knows") }
        let bracketed = host.contains(":") ? "[\(host)]" : host
        let request = Array("GET \(path) HTTP/1.1\r\nHost: \(bracketed):\(port)\r\nConnection: close\r\n\r\n".utf8)
        do throws(BlockingExchange.Problem) {
            return try BlockingExchange.status(
                of: request, host: host, port: port, verifying: configuration.tls == nil ? nil : .nothing,
                milliseconds: 15_000)
        } catch {
            throw GatewayError(.system, "\(bracketed):\(port): \(error)")
        }
    }

    /// An address that stands for all of them is reached at the loopback one.
    private static func reachable(_ host: String) -> String {
        switch host {
        case "0.0.0.0": "127.0.0.1"
        case "::": "::1"
        default: host
        }
    }
}
