import COpenSSL
import Glibc
import NIOCore

// Safe: the address lives through the call that reads it, the buffer through the call that fills it, with its own count. The
// SSL and its context are freed once, in the function that made them; a name's bytes are read within the call that gets them.
/// One HTTP request as a client, on sockets that block: for a thread that has nothing else to do.
///
/// Redirects are not followed, and of the answer only the status is read.
enum BlockingExchange {
    struct Problem: Error, Equatable, CustomStringConvertible {
        let description: String
        init(_ description: String) { self.description = description }
    }

    /// Every step waits at most this long.
    static let patienceSeconds = 5

    enum Verification { case certificate, nothing }

    /// - Parameters:
    ///   - verifying: what of the server's certificate is verified; `nil` for plain HTTP.
    ///   - milliseconds: in which the request has to be sent.
    /// - Returns: the status of the answer.
    static func status(
        of request: [UInt8], host: String, port: Int, verifying: Verification?, milliseconds: Int64
    ) throws(Problem) -> Int {
        let end = NIODeadline.now() + .milliseconds(milliseconds)
        let descriptor = try connected(host: host, port: port)
        defer { close(descriptor) }
        // libssl writes without MSG_NOSIGNAL.
        signal(SIGPIPE, SIG_IGN)
        let answer: [UInt8]
        if let verifying {
            answer = try encryptedAnswer(to: request, descriptor, host: host, verifying, end)
        } else {
            answer = try plainAnswer(to: request, descriptor, end)
        }
        guard !answer.isEmpty else { throw Problem("gave no answer (within \(patienceSeconds) s)") }
        let words = String(decoding: answer.prefix { $0 != UInt8(ascii: "\r") }, as: UTF8.self).split(separator: " ")
        guard words.count > 1, words[0].hasPrefix("HTTP/"), let status = Int(words[1]), (100...599).contains(status)
        else { throw Problem("did not answer in HTTP: another program's port, or TLS?") }
        return status
    }

    private static func connected(host: String, port: Int) throws(Problem) -> CInt {
        guard let address = try? SocketAddress.makeAddressResolvingHost(host, port: port) else {
            throw Problem("\(host) is no address")
        }
        let descriptor = socket(address.protocol.rawValue, CInt(SOCK_STREAM.rawValue) | CInt(SOCK_CLOEXEC.rawValue), 0)
        guard descriptor >= 0 else { throw Problem("no socket: error \(errno)") }
        var patience = timeval(tv_sec: patienceSeconds, tv_usec: 0)
        for option in [SO_RCVTIMEO, SO_SNDTIMEO] {
            setsockopt(descriptor, SOL_SOCKET, option, &patience, socklen_t(MemoryLayout<timeval>.size))
        }
        guard address.withSockAddr({ connect(descriptor, $0, socklen_t($1)) }) == 0 else {
            let reason = String(cString: strerror(errno))
            close(descriptor)
            throw Problem("no server at \(host), port \(port): \(reason)")
        }
        return descriptor
    }

    private static func plainAnswer(
        to request: [UInt8], _ descriptor: CInt, _ end: NIODeadline
    ) throws(Problem) -> [UInt8] {
        var sent = 0
        while sent < request.count {
            guard NIODeadline.now() < end else { throw Problem("it reads too slowly") }
            let part = Array(request[sent...].prefix(65_536))
            let count = send(descriptor, part, part.count, CInt(MSG_NOSIGNAL))
            guard count > 0 else { throw Problem("the connection broke while the request was sent") }
            sent += count
        }
        var answer = [UInt8](repeating: 0, count: 512)
        let count = recv(descriptor, &answer, answer.count, 0)
        return Array(answer.prefix(max(count, 0)))
    }

    private static func encryptedAnswer(
        to request: [UInt8], _ descriptor: CInt, host: String, _ verifying: Verification, _ end: NIODeadline
    ) throws(Problem) -> [UInt8] {
        ERR_clear_error()
        guard let context = SSL_CTX_new(TLS_client_method()) else { throw Problem("libssl is out of memory") }
        defer { SSL_CTX_free(context) }
        guard let ssl = SSL_new(context) else { throw Problem("libssl is out of memory") }
        defer { SSL_free(ssl) }
        if verifying == .certificate { try verify(host, ssl, context) }
        guard SSL_set_fd(ssl, descriptor) == 1, SSL_connect(ssl) == 1 else {
            let verdict = SSL_get_verify_result(ssl)
            if verifying == .certificate, verdict != Int(X509_V_OK) {
                throw Problem(
                    "its certificate is not trusted: \(String(cString: X509_verify_cert_error_string(verdict)))")
            }
            throw Problem("TLS: \(TLSProblem.noted("the handshake failed"))")
        }
        var sent = 0
        while sent < request.count {
            guard NIODeadline.now() < end else { throw Problem("it reads too slowly") }
            let part = Array(request[sent...].prefix(TLSConnection.recordBytes))
            guard SSL_write(ssl, part, CInt(part.count)) == CInt(part.count) else {
                throw Problem("the connection broke while the request was sent")
            }
            sent += part.count
        }
        var answer = [UInt8](repeating: 0, count: 512)
        var count = 0
        guard SSL_read_ex(ssl, &answer, answer.count, &count) == 1 else { return [] }
        return Array(answer.prefix(count))
    }

    /// The certificate has to be the host's, by an authority that the system trusts, or `SSL_CERT_FILE` names.
    private static func verify(_ host: String, _ ssl: OpaquePointer, _ context: OpaquePointer) throws(Problem) {
        let isAddress = ClientAddress(parsing: host) != nil
        guard SSL_CTX_set_default_verify_paths(context) == 1 else { throw Problem("the system has no certificates") }
        SSL_set_verify(ssl, SSL_VERIFY_PEER, nil)
        let isNamed =
            isAddress
            ? X509_VERIFY_PARAM_set1_ip_asc(SSL_get0_param(ssl), host) == 1
            : SSL_set1_host(ssl, host) == 1 && rh_SSL_set_tlsext_host_name(ssl, host) == 1
        guard isNamed else { throw Problem("libssl refuses the host's name") }
    }
}
