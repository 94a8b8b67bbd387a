import COpenSSL
import Glibc
import NIOCore

// Safe: the address lives through the call that reads it, the buffer through the call that fills it, with its own count. The
// SSL and its context are freed once, in the function that made them.
/// One request to a server on this machine, as a client.
public enum HealthProbe {
    /// Every step waits at most this long.
    private static let patienceSeconds = 5

    /// Asks the server that listens by this configuration.
    ///
    /// The certificate is not verified: it is the server's own machine, and names somebody else's way to it.
    /// - Returns: the status of the answer.
    /// - Throws: `GatewayError` if nobody listens, or what listens does not answer in HTTP.
    public static func ask(_ configuration: GatewayConfiguration, path: String) throws(GatewayError) -> Int {
        let (host, port) = (reachable(configuration.host), configuration.port)
        guard port != 0 else { throw GatewayError(.system, "the port is 0: any free one, which only the server knows") }
        let descriptor = try connected(host: host, port: port)
        defer { close(descriptor) }
        let bracketed = host.contains(":") ? "[\(host)]" : host
        let request = Array("GET \(path) HTTP/1.1\r\nHost: \(bracketed):\(port)\r\nConnection: close\r\n\r\n".utf8)
        let answer: [UInt8]
        if configuration.tls == nil {
            answer = plainAnswer(to: request, descriptor)
        } else {
            answer = encryptedAnswer(to: request, descriptor)
        }
        guard !answer.isEmpty else {
            throw GatewayError(.system, "\(bracketed):\(port) gave no answer (within \(patienceSeconds) s)")
        }
        let words = String(decoding: answer.prefix { $0 != UInt8(ascii: "\r") }, as: UTF8.self).split(separator: " ")
        guard words.count > 1, words[0].hasPrefix("HTTP/"), let status = Int(words[1]) else {
            throw GatewayError(.system, "\(bracketed):\(port) did not answer in HTTP: another program's port, or TLS?")
        }
        return status
    }

    /// An address that stands for all of them is reached at the loopback one.
    private static func reachable(_ host: String) -> String {
        switch host {
        case "0.0.0.0": "127.0.0.1"
        case "::": "::1"
        default: host
        }
    }

    private static func connected(host: String, port: Int) throws(GatewayError) -> CInt {
        guard let address = try? SocketAddress.makeAddressResolvingHost(host, port: port) else {
            throw GatewayError(.addressUnavailable, "\(host) is no address")
        }
        let descriptor = socket(address.protocol.rawValue, CInt(SOCK_STREAM.rawValue) | CInt(SOCK_CLOEXEC.rawValue), 0)
        guard descriptor >= 0 else { throw GatewayError(.system, "no socket: error \(errno)") }
        var patience = timeval(tv_sec: patienceSeconds, tv_usec: 0)
        for option in [SO_RCVTIMEO, SO_SNDTIMEO] {
            setsockopt(descriptor, SOL_SOCKET, option, &patience, socklen_t(MemoryLayout<timeval>.size))
        }
        guard address.withSockAddr({ connect(descriptor, $0, socklen_t($1)) }) == 0 else {
            let reason = String(cString: strerror(errno))
            close(descriptor)
            throw GatewayError(.system, "no server at \(host), port \(port): \(reason)")
        }
        return descriptor
    }

    private static func plainAnswer(to request: [UInt8], _ descriptor: CInt) -> [UInt8] {
        var answer = [UInt8](repeating: 0, count: 512)
        guard send(descriptor, request, request.count, CInt(MSG_NOSIGNAL)) == request.count else { return [] }
        let count = recv(descriptor, &answer, answer.count, 0)
        return Array(answer.prefix(max(count, 0)))
    }

    private static func encryptedAnswer(to request: [UInt8], _ descriptor: CInt) -> [UInt8] {
        guard let context = SSL_CTX_new(TLS_client_method()) else { return [] }
        defer { SSL_CTX_free(context) }
        guard let ssl = SSL_new(context) else { return [] }
        defer { SSL_free(ssl) }
        var answer = [UInt8](repeating: 0, count: 512)
        var count = 0
        // libssl writes without MSG_NOSIGNAL.
        signal(SIGPIPE, SIG_IGN)
        guard SSL_set_fd(ssl, descriptor) == 1, SSL_connect(ssl) == 1,
            SSL_write(ssl, request, CInt(request.count)) == CInt(request.count),
            SSL_read_ex(ssl, &answer, answer.count, &count) == 1
        else { return [] }
        return Array(answer.prefix(count))
    }
}
