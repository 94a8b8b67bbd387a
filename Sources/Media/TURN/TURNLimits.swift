/// What clients of the TURN server may take, in one place.
package enum TURNLimits {
    /// Allocations of one username at a time: two transports, a few interfaces each, and those of before a change of networks.
    static let allocationsPerUsername = 12
    /// Peers and channels of an allocation: one of a kind for each of the server's media addresses that a client knows.
    static let permissionsPerAllocation = 16
    static let channelsPerAllocation = 16
    /// Ports of relayed addresses (RFC 8656 §5): none of them is ever opened.
    static let relayedPorts: ClosedRange<UInt16> = 49_152...65_535
    /// RFC 8656 §7.2, in seconds.
    static let shortestLifetime = 600
    static let longestLifetime = 3600
    /// RFC 8656 §9, §12.
    static let permissionLifetime = MediaDuration.seconds(300)
    static let channelLifetime = MediaDuration.seconds(600)
    /// A connection without an allocation is closed after this.
    package static let patience = MediaDuration.seconds(10)
    /// How long a nonce is good for, in seconds.
    static let nonceLifetime: Int64 = 3600
    /// How long credentials are good for, in seconds: a change of networks in the middle of a call needs a new allocation, and
    /// the client's program is not asked then. They open nothing but the way to this server's own media.
    package static let credentialLifetime: Int64 = 8 * 3600
    /// What browsers take of a username is 509 bytes, ours are a tenth of it.
    static let longestUsername = 256
    /// The longest message or frame of channel data, with its header: nothing that is relayed is longer than what a shard takes.
    package static let longestFrame = TCPFrameReader.longest + 64
    /// The longest payload that is relayed.
    static let longestPayload = TCPFrameReader.longest
    /// Ways into the media plane that a client begins in a second: one for each media address is enough, and of those that show
    /// nothing of themselves the media threads take few.
    package static let pathsPerSecond = 16
    /// Requests of one client that are looked at in a second: each costs codes under a lock that all share, and browsers make a dozen
    /// when a call begins.
    package static let requestsPerSecond = 200
    /// Answers without credentials to one address over UDP in a second: whoever forges an address has it sent no more.
    package static let challengesPerSecond = 50
}
