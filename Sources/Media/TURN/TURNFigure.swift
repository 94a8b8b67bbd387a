/// What the TURN server counts.
package enum TURNFigure: Int, CaseIterable, Sendable {
    case allocations
    /// Beyond what one username or all may have.
    case allocationsRefused
    /// Credentials that are forged or over.
    case credentialsRefused
    /// Peers that are none of this server's media addresses.
    case peersRefused
    case malformed
    /// What came for a peer without permission, to be relayed elsewhere, or before any check for its peer.
    case unpermitted
    /// What the media thread had no room for.
    case queueFull
    /// What was sent to a client without a permission or channel any more, and answers to one that reads none.
    case undeliverable
    /// Beyond what one client may ask in a second.
    case requestsLimited
    /// Of challenges to one address over UDP.
    case challengesLimited

    /// The metric's name part.
    package var label: String { snakeCase(String(describing: self)) }

    /// What it counts, for whoever reads the metrics.
    package var help: String {
        switch self {
        case .allocations: "Allocations of TURN that were made."
        case .allocationsRefused: "Allocations of TURN beyond what one user, or all, may have."
        case .credentialsRefused: "Requests of TURN with credentials that are forged or over."
        case .peersRefused: "Requests of TURN to reach what is none of this server's media addresses."
        case .malformed: "Messages of TURN that cannot be read."
        case .unpermitted:
            "Packets through TURN for peers that are not permitted, not this server's, or not checked yet."
        case .queueFull: "Packets through TURN that a media thread had no room for."
        case .undeliverable:
            "Packets for clients of TURN whose permission or channel is over, and answers that are not read."
        case .requestsLimited: "Requests of TURN that were not looked at, as their client has sent too many."
        case .challengesLimited: "Requests of TURN over UDP that were not answered, as their address has sent too many."
        }
    }
}
