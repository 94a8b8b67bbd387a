/// Why a room refused a request, in words for the client that made it.
public struct RoomError: Error, Sendable, Hashable, CustomStringConvertible {
    /// A closed list, so that every dialect can map all of it.
    public enum Code: Sendable, Hashable, CaseIterable {
        /// A field is missing, has the wrong type or is out of range.
        case invalidRequest
        /// The parameters contradict each other or the rules of ORTC.
        case invalidParameters
        /// The router has no codec for it.
        case unsupported
        case unknownMethod
        /// The method is known, this server cannot do it.
        case notImplemented
        case peerNotJoined
        case peerAlreadyJoined
        case transportNotFound
        case producerNotFound
        case consumerNotFound
        /// The object is not in a state that allows this: connected already, not for producing.
        case wrongState
        /// An SSRC or MID is in use by another producer of the transport.
        case streamConflict
        case limitReached
        /// The room has a password, and this was not it.
        case wrongPassword
        /// The peer has left, or its connection was replaced by a newer one.
        case peerClosed
        case roomClosed
        /// The media threads cannot take more commands just now.
        case overloaded
        /// The media threads did not answer in time.
        case timedOut
        case internalError
    }

    /// What kind of refusal it is.
    public let code: Code
    /// What is wrong and what to do about it.
    public let message: String

    /// An error with its message.
    public init(_ code: Code, _ message: String) {
        self.code = code
        self.message = message
    }

    /// Name and message.
    public var description: String { "\(code.name): \(message)" }
}

extension RoomError.Code {
    /// The code's stable name for clients.
    public var name: String {
        switch self {
        case .invalidRequest: "invalid-request"
        case .invalidParameters: "invalid-parameters"
        case .unsupported: "unsupported"
        case .unknownMethod: "unknown-method"
        case .notImplemented: "not-implemented"
        case .peerNotJoined: "peer-not-joined"
        case .peerAlreadyJoined: "peer-already-joined"
        case .transportNotFound: "transport-not-found"
        case .producerNotFound: "producer-not-found"
        case .consumerNotFound: "consumer-not-found"
        case .wrongState: "wrong-state"
        case .streamConflict: "stream-conflict"
        case .limitReached: "limit-reached"
        case .wrongPassword: "wrong-password"
        case .peerClosed: "peer-closed"
        case .roomClosed: "room-closed"
        case .overloaded: "overloaded"
        case .timedOut: "timed-out"
        case .internalError: "internal-error"
        }
    }

    /// The HTTP status, which is protoo's `errorCode` too.
    public var httpStatus: Int {
        switch self {
        case .invalidRequest, .invalidParameters: 400
        case .unsupported: 422
        case .unknownMethod, .transportNotFound, .producerNotFound, .consumerNotFound: 404
        case .notImplemented: 501
        case .peerNotJoined, .peerAlreadyJoined, .wrongState, .streamConflict: 409
        case .limitReached: 429
        case .wrongPassword: 403
        case .peerClosed, .roomClosed: 410
        case .overloaded: 503
        case .timedOut: 504
        case .internalError: 500
        }
    }
}
