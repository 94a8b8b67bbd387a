import RoundhouseMedia

// What holds a secret among other things shows nothing: targets, heads and bodies carry tokens, passwords and the names of
// sessions, and those who speak for a session carry its secret.

extension RequestTarget: Redacted {}
extension IncomingRequest: Redacted {}
extension OutgoingResponse: Redacted {}
extension EngineConnection: Redacted {}
extension SocketIOSession: Redacted {}
extension SignalingSession: Redacted {}
extension SDPOffer: Redacted {}
extension ICEFragment: Redacted {}
/// A session's path is all that speaks for it.
extension SDPSessionTable.Key: Redacted {}
extension SDPSession: Redacted {}
