public import RoundhouseMedia

/// By what a client has its peer's name: who comes under a name that is taken shows that it is the same client.
public enum PeerClaim: Sendable, Hashable {
    /// An access token, which may be for this one peer.
    case token(Secret, namesPeer: Bool)
    /// Where it came from, on a server without tokens.
    case address(String)

    /// The kind's name for operators.
    var kind: String {
        switch self {
        case .token: "token"
        case .address: "address"
        }
    }

    /// Whether who has this claim may take the place of a peer that is there.
    /// - Parameters:
    ///   - former: the other's claim; `nil` if whoever embeds the room decides.
    ///   - isUnheard: the other's client has not answered lately, and may well be this one on another network.
    func takesPlace(of former: PeerClaim?, isUnheard: Bool) -> Bool {
        switch (self, former) {
        case (_, nil), (.token(_, namesPeer: true), _): true
        case (.token(let own, _), .token(let other, _)?): own.matches(other)
        case (.address(let own), .address(let other)?): own == other || isUnheard
        // Keys were exchanged meanwhile.
        case (.token, .address?): true
        case (.address, .token?): isUnheard
        }
    }
}
