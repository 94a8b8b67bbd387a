/// What one client, and all together, may use.
public struct GatewayLimits: Sendable {
    /// Open TCP connections; further ones are closed as soon as they are accepted.
    public var connections = 10_000
    /// Open TCP connections of one address; IPv6 addresses are counted by networks of 64 bits.
    public var connectionsPerAddress = 1000
    /// Bytes that the clients of one address may have in the server's buffers, beside what each connection and session has
    /// of its own (`MemoryLoan`).
    public var memoryPerAddress = 64 * 1024 * 1024
    /// HTTP requests and new WebSockets of one address in a second; ten times as many at once.
    public var requestsPerSecond = 200
    /// Tokens of one address that are none, in a second; ten times as many at once. Then none of its tokens is looked at.
    public var failedTokensPerSecond = 10
    /// Wrong passwords of one address in a second; ten times as many at once. Then none of its passwords is compared.
    public var failedPasswordsPerSecond = 2
    /// Names of rooms that one address may have had made and not used.
    public var roomNamesPerAddress = 100
    /// Time for a Socket.IO client to say what it wants.
    public var connectTimeout = Duration.seconds(15)
    /// Signaling requests of one client in a second; ten times as many at once.
    public var messagesPerSecond = 100
    /// Bytes of one request's header fields, names and values together.
    public var headerBytes = 16 * 1024
    /// Bytes of one HTTP request's body.
    public var bodyBytes = 64 * 1024
    /// Bytes of one signaling message, its fragments together. The longest that clients send are descriptions of what they
    /// can receive, of some kilobytes.
    public var messageBytes = 65_536
    /// Bytes of the body of one post of Engine.IO, which carries all messages that waited.
    public var postBytes = 960_000
    /// Bytes of request bodies that one HTTP/2 connection may have in the server, all its streams together.
    public var connectionBodyBytes = 4 * 1024 * 1024
    /// Bytes that may wait for a client that does not read before it is cut off.
    public var outgoingBytes = 4 * 1024 * 1024
    /// Event streams of `/api/v1/events` at a time.
    public var eventStreams = 256
    /// Requests of ours that may wait for one client's answer.
    public var pendingRequests = 4096
    /// Time for a connection's first whole request (against clients that send a byte a second).
    public var requestTimeout = Duration.seconds(10)
    /// Time a connection may idle between two HTTP requests.
    public var keepAliveTimeout = Duration.seconds(30)
    /// How long a WebSocket client is silent until it is pinged.
    public var pingInterval = Duration.seconds(20)
    /// Time between the comments that keep quiet event streams open.
    public var commentInterval = Duration.seconds(10)
    /// A WebSocket client from which nothing at all came for this long is gone.
    public var silenceTimeout = Duration.seconds(30)
    /// Time for a client to answer a request of ours.
    public var responseTimeout = Duration.seconds(15)
    /// Time for a client whose signaling WebSocket broke to come back, if it asked for that.
    public var resumptionWindow = Duration.seconds(30)
    /// Time for a client without a WebSocket to send a request or to come back for its events; how long these are kept.
    public var eventsWindow = Duration.seconds(60)
    /// Bytes kept for one client that may come back; beyond them the oldest messages are dropped, and it is notified.
    public var replayBytes = 1_048_576
    /// Requests of one client, sent side by side, that may wait for their turn.
    public var waitingRequests = 64
    /// Time between a Socket.IO client's pong and the next ping.
    public var enginePingInterval = Duration.seconds(25)
    /// Time for its pong.
    public var enginePingTimeout = Duration.seconds(20)
    /// Time for a WHIP or WHEP client to connect its transport.
    public var mediaConnectTimeout = Duration.seconds(30)
    /// Time that a broadcaster stays without a request, a packet or a checked transport.
    public var broadcasterIdleTimeout = Duration.seconds(60)
    /// Time for a client to finish the closing handshake before the connection is cut.
    public var closeTimeout = Duration.seconds(2)

    /// The defaults.
    public init() {}
}
