/// What all clients of the TURN server share: credentials, nonces, and who has how many allocations (RFC 8656, the part that browsers
/// use). It relays to this server's own media only, and opens no port.
package struct TURNServer: Sendable {
    package static let realm = "roundhouse"
    static let software = "Roundhouse"

    /// The one that credentials are made with, and others that are taken, too.
    package var secrets: [Secret]
    /// Where clients may send to.
    package var peers = RelayPeers()
    let nonces: TURNNonces
    private var allocationsByUsername: [String: Int] = [:]
    private var relayedPorts: Set<UInt16> = []
    private var lastPort: UInt16
    private var figures = [UInt64](repeating: 0, count: TURNFigure.allCases.count)

    /// - Parameters:
    ///   - secrets: at least one.
    ///   - nonceKey: random.
    ///   - seed: where relayed ports begin.
    package init(secrets: [Secret], nonceKey: String, seed: UInt16) {
        self.secrets = secrets
        nonces = TURNNonces(key: nonceKey)
        lastPort = TURNLimits.relayedPorts.lowerBound + seed % 16_384
    }

    /// Allocations that there are.
    package var allocationCount: Int { relayedPorts.count }

    package func value(_ figure: TURNFigure) -> UInt64 { figures[figure.rawValue] }

    package mutating func count(_ figure: TURNFigure) { figures[figure.rawValue] += 1 }

    /// - Parameter time: in seconds since 1970.
    package func credential(for holder: String, at time: Int64) -> TURNCredential {
        TURNCredential(
            holder: holder, expiry: time + TURNLimits.credentialLifetime, secret: secrets.first ?? Secret(""))
    }

    /// Why an allocation was refused.
    enum Refusal: Error {
        /// The username has as many as it may.
        case quota
        /// No relayed port is left.
        case full
    }

    /// - Returns: the relayed port.
    mutating func allocate(for username: String, isEven: Bool = false) throws(Refusal) -> UInt16 {
        guard allocationsByUsername[username, default: 0] < TURNLimits.allocationsPerUsername else { throw .quota }
        let range = TURNLimits.relayedPorts
        guard relayedPorts.count < range.count / 2 else { throw .full }
        var port = lastPort
        for _ in range {
            port = port == range.upperBound ? range.lowerBound : port + 1
            guard !isEven || port % 2 == 0, !relayedPorts.contains(port), !peers.isMediaPort(port) else { continue }
            lastPort = port
            relayedPorts.insert(port)
            allocationsByUsername[username, default: 0] += 1
            return port
        }
        throw .full
    }

    mutating func release(_ port: UInt16, of username: String) {
        guard relayedPorts.remove(port) != nil, let count = allocationsByUsername[username] else { return }
        allocationsByUsername[username] = count > 1 ? count - 1 : nil
    }
}
