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
        case dataProducerNotFound
        case dataConsumerNotFound
        /// The object is not in a state that allows this: connected already, not for producing.
        case wrongState
        /// An SSRC or MID is in use by another producer of the transport.
        case streamConflict
        case limitReached
        /// The client has shown no token, or none that is valid.
        case unauthorized
        /// The client's token does not permit it.
        case forbidden
        /// The client asks too often.
        case rateLimited
        /// The server takes nobody any more.
        case shuttingDown
        /// The room has a password, and this was not it.
        case wrongPassword
        /// A moderator has locked the room.
        case roomLocked
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
    /// Which bound was met, for `limitReached`.
    public let limit: RoomLimit?

    /// An error with its message.
    public init(_ code: Code, _ message: String) {
        self.code = code
        self.message = message
        limit = nil
    }

    /// An error with code `limitReached`, and which bound it was.
    public init(_ limit: RoomLimit, _ message: String) {
        code = .limitReached
        self.message = message
        self.limit = limit
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
        case .dataProducerNotFound: "data-producer-not-found"
        case .dataConsumerNotFound: "data-consumer-not-found"
        case .wrongState: "wrong-state"
        case .streamConflict: "stream-conflict"
        case .limitReached: "limit-reached"
        case .unauthorized: "unauthorized"
        case .forbidden: "forbidden"
        case .rateLimited: "rate-limited"
        case .shuttingDown: "shutting-down"
        case .wrongPassword: "wrong-password"
        case .roomLocked: "room-locked"
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
        case .unknownMethod, .transportNotFound, .producerNotFound, .consumerNotFound, .dataProducerNotFound,
            .dataConsumerNotFound:
            404
        case .notImplemented: 501
        case .peerNotJoined, .peerAlreadyJoined, .wrongState, .streamConflict: 409
        case .limitReached, .rateLimited: 429
        case .unauthorized: 401
        case .wrongPassword, .roomLocked, .forbidden: 403
        case .peerClosed, .roomClosed: 410
        case .overloaded, .shuttingDown: 503
        case .timedOut: 504
        case .internalError: 500
        }
    }
}
