import RoundhouseRooms

/// Why a token gives nothing; the names are labels of a metric.
enum TokenProblem: String, Error, CaseIterable {
    case missing
    case tooLong = "too_long"
    case malformed
    case algorithm
    case unknownKey = "unknown_key"
    case signature
    case expired
    case notYetValid = "not_yet_valid"
    case wrongRoom = "wrong_room"
    case wrongPeer = "wrong_peer"
    case notAdmin = "not_admin"
    case noExpiry = "no_expiry"
    case wrongIssuer = "wrong_issuer"
    case wrongAudience = "wrong_audience"
    case revoked

    /// Whether a better token would be needed, rather than one with more rights.
    var isUnauthenticated: Bool {
        switch self {
        case .wrongRoom, .wrongPeer, .notAdmin: false
        case .missing, .tooLong, .malformed, .algorithm, .unknownKey, .signature, .expired, .notYetValid, .noExpiry,
            .wrongIssuer, .wrongAudience, .revoked:
            true
        }
    }

    var message: String {
        switch self {
        case .missing: "this server wants a token: give it as ?token=… or as Authorization: Bearer …"
        case .tooLong: "a token has at most \(TokenVerifier.maximumBytes) bytes"
        case .malformed: "the token is not a JWT with the claims of this server"
        case .algorithm: "the token has to be signed with the algorithm of this server's key (HS256 for a secret)"
        case .unknownKey: "the token names a key that this server does not have"
        case .signature: "the token's signature is not of this server's key"
        case .expired: "the token has expired: get a new one"
        case .notYetValid: "the token is not valid yet: its nbf is in the future"
        case .wrongRoom: "the token is for another room"
        case .wrongPeer: "the token is for another peer id"
        case .notAdmin: "the token does not grant admin"
        case .noExpiry: "this server takes no token that never expires: give it an exp"
        case .wrongIssuer: "the token is of another issuer (iss) than this server's"
        case .wrongAudience: "the token is for others (aud) than this server"
        case .revoked: "the token is valid no longer: get a new one"
        }
    }

    /// The error a client gets.
    var roomError: RoomError { RoomError(isUnauthenticated ? .unauthorized : .forbidden, message) }
}
