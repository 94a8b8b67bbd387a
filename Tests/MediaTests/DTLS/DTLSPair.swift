import COpenSSL
import TestSupport

@testable import RoundhouseMedia

/// Two connections and the network between them, in virtual time.
final class DTLSPair {
    let client: DTLSConnection
    let server: DTLSConnection
    private(set) var now = MediaInstant(nanoseconds: 1_000_000_000)
    private(set) var clientEvents: [DTLSEvent] = []
    private(set) var serverEvents: [DTLSEvent] = []
    /// Every datagram sent so far, in order.
    private(set) var sent: [Datagram] = []
    /// Says what arrives of a datagram: none, itself, or others in its place.
    var network: (Datagram) -> [[UInt8]] = { [$0.bytes] }

    struct Datagram: Equatable {
        var number: Int
        var isFromClient: Bool
        var bytes: [UInt8]
    }

    init(
        client clientCertificate: DTLSCertificate, server serverCertificate: DTLSCertificate, clientMTU: Int = 1200,
        serverMTU: Int = 1200
    ) throws {
        client = try DTLSConnection(certificate: clientCertificate, mtu: clientMTU)
        server = try DTLSConnection(certificate: serverCertificate, mtu: serverMTU)
    }

    /// Both sides get the fingerprint of the other, and start.
    func start(
        _ clientCertificate: DTLSCertificate, _ serverCertificate: DTLSCertificate,
        algorithm: DTLSFingerprint.Algorithm = .sha256
    ) {
        client.setRemoteFingerprint(serverCertificate.fingerprints.first { $0.algorithm == algorithm }!)
        server.setRemoteFingerprint(clientCertificate.fingerprints.first { $0.algorithm == algorithm }!)
        begin()
    }

    /// Both sides start.
    func begin() {
        WallClock.set(now)
        server.start(role: .server, at: now)
        client.start(role: .client, at: now)
    }

    /// Carries datagrams to and fro until none is left.
    func exchange() {
        WallClock.set(now)
        var isQuiet = false
        while !isQuiet {
            isQuiet = true
            for isFromClient in [true, false] {
                let (from, to) = isFromClient ? (client, server) : (server, client)
                while let bytes = Self.polled(from) {
                    isQuiet = false
                    let datagram = Datagram(number: sent.count, isFromClient: isFromClient, bytes: bytes)
                    sent.append(datagram)
                    for arriving in network(datagram) {
                        arriving.withUnsafeBytes { to.datagramReceived($0, at: now) }
                    }
                }
            }
            collectEvents()
        }
    }

    /// Exchanges, and lets time pass from deadline to deadline, until both agree or `seconds` have passed.
    func run(seconds: Int = 120) {
        let end = now + .seconds(seconds)
        exchange()
        while let next = [client.nextDeadline, server.nextDeadline].compactMap({ $0 }).min(), next <= end {
            now = max(now, next)
            WallClock.set(now)
            client.deadlineReached(at: now)
            server.deadlineReached(at: now)
            exchange()
        }
    }

    /// What `connection` received over the network, from the outside.
    func inject(_ bytes: [UInt8], to connection: DTLSConnection) {
        WallClock.set(now)
        bytes.withUnsafeBytes { connection.datagramReceived($0, at: now) }
    }

    func collectEvents() {
        while let event = client.pollEvent() { clientEvents.append(event) }
        while let event = server.pollEvent() { serverEvents.append(event) }
    }

    static func polled(_ connection: DTLSConnection) -> [UInt8]? {
        var buffer = [UInt8](repeating: 0, count: 2048)
        return buffer.withUnsafeMutableBytes { connection.pollTransmit(into: $0) }.map { Array(buffer[..<$0]) }
    }

    /// The keys as the server has them: `nil` unless it is connected.
    var serverKeys: SRTPKeyingMaterial? {
        if case .connected(let keys)? = serverEvents.last { keys } else { nil }
    }

    /// The keys both sides agreed on: `nil` unless both connected, with mirrored keys.
    var agreedKeys: SRTPKeyingMaterial? {
        guard case .connected(let ours)? = clientEvents.last, case .connected(let theirs)? = serverEvents.last,
            ours.profile == theirs.profile, ours.local == theirs.remote, ours.remote == theirs.local,
            ours.local != ours.remote
        else { return nil }
        return ours
    }
}

extension DTLSConnection {
    /// Whether the handshake runs or the fingerprint of its certificate is awaited: `connecting` to mediasoup.
    var isConnecting: Bool {
        switch state {
        case .handshaking, .awaitingFingerprint: true
        case .idle, .connected, .failed, .closed: false
        }
    }
}
