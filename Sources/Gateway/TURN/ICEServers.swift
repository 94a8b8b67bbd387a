import RoundhouseMedia
import RoundhouseRooms

/// The TURN servers that one session's client gets, with credentials of its own. When the session ends, so do its allocations.
final class ICEServers: Sendable {
    private let service: TURNService
    private let holder: String
    private let urls: [String]

    init(service: TURNService, holder: String, urls: [String]) {
        self.service = service
        self.holder = holder
        self.urls = urls
    }

    /// As an `RTCPeerConnection` takes them, with credentials that are good from now on.
    var json: JSONValue {
        let credential = service.credential(for: holder)
        return .array([
            .object([
                "urls": .array(urls.map { .string($0) }), "username": .string(credential.username),
                "credential": .string(credential.password.revealed),
            ])
        ])
    }

    /// Values of the Link field (RFC 9725 §4.6).
    var links: [String] {
        let credential = service.credential(for: holder)
        return urls.map { url in
            "<\(url)>; rel=\"ice-server\"; username=\"\(credential.username)\"; "
                + "credential=\"\(credential.password.revealed)\"; credential-type=\"password\""
        }
    }

    /// The session is over.
    func end() { service.left(holder) }
}
