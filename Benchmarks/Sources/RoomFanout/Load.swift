/// What the peers of the rooms do.
struct Load: Codable {
    var rooms = 1
    var publishers = 1
    var subscribers = 100
    /// Every subscriber publishes too and hears all the others; `publishers` does not count then.
    var everybody = false
    var audio = false
    /// Of each publisher.
    var packetsPerSecond = 300.0
    /// Packets that leave a publisher back to back, as the parts of a video frame do; 1 spaces them evenly.
    var burst = 1
    /// Payload bytes of each packet.
    var payload = 1100
    /// Whether receivers say what arrives (transport-wide feedback), so that the server judges their networks.
    var feedback = false
    /// Whether subscribers come by TCP connections (ICE-TCP).
    var tcp = false
    /// `gcm` or `cm`.
    var profile = "gcm"

    var streamsPerSubscriber: Int { everybody ? subscribers - 1 : publishers }

    var summary: String {
        let people =
            everybody
            ? "\(subscribers) people who all hear each other"
            : "\(publishers) publisher(s) × \(subscribers) subscriber(s)"
        return "\(rooms) room(s), \(people), \(audio ? "audio" : "video") \(Int(packetsPerSecond)) packets/s "
            + (burst > 1 ? "in bursts of \(burst), " : "") + "of \(payload) bytes, \(profile)"
            + (feedback ? ", with feedback" : "") + (tcp ? ", over TCP" : "")
    }
}

/// Tells the load generator how to play its transports.
struct Plan {
    /// The server's end of a transport.
    struct Remote {
        var address: String
        var port: Int
        var user: String
        var password: String
    }

    /// Leads a transport through something else than the server's own address.
    var detour: ((Remote) throws -> Remote)?

    private var transports: [String] = []
    private var streams: [String] = []
    private var nextNumber = 0

    static func localUser(_ number: Int) -> String { "load\(number)" }
    static let localPassword = "loadloadloadloadloadload"
    static func ssrc(_ number: Int) -> Int { 10_000 + number }

    /// The number that the next transport gets.
    var upcoming: Int { nextNumber }

    /// - Parameter tcp: whether it is a connection, to the port of the same number.
    mutating func addTransport(_ remote: Remote, profile: String, tcp: Bool = false) throws -> Int {
        let number = nextNumber
        nextNumber += 1
        let remote = try detour?(remote) ?? remote
        transports.append(
            "transport id=\(number) addr=\(remote.address) port=\(remote.port) lufrag=\(Self.localUser(number)) "
                + "lpwd=\(Self.localPassword) rufrag=\(remote.user) rpwd=\(remote.password) dtls=client profile=\(profile)"
                + (tcp ? " tcp=1" : "")
        )
        return number
    }

    mutating func send(on transport: Int, _ load: Load) {
        streams.append(
            "send transport=\(transport) ssrc=\(Self.ssrc(transport)) pt=\(load.audio ? 111 : 96) "
                + "codec=\(load.audio ? "opus" : "vp8") pps=\(load.packetsPerSecond) size=\(load.payload) burst=\(load.burst)"
        )
    }

    /// One stream of a transport that has several.
    /// - Parameter isLayer: receivers get it or another one in its place.
    mutating func send(
        on transport: Int, ssrc: Int, codec: String, payloadType: Int, packetsPerSecond: Double, payload: Int,
        burst: Int = 1, isLayer: Bool = false
    ) {
        streams.append(
            "send transport=\(transport) ssrc=\(ssrc) pt=\(payloadType) codec=\(codec) pps=\(packetsPerSecond) "
                + "size=\(payload) burst=\(burst) layer=\(isLayer ? 1 : 0)")
    }

    /// An association; its transport is one of this or an earlier text.
    /// - Parameter size: of the messages that it sends, if it sends any.
    mutating func carryData(on transport: Int, size: Int? = nil) {
        streams.append("data transport=\(transport)" + (size.map { " size=\($0) pps=100" } ?? ""))
    }

    /// - Parameter feedback: the header extension of transport-wide numbers, if the receiver is to say what arrives.
    mutating func expect(_ count: Int, on transport: Int, feedback: Int? = nil) {
        streams.append(
            "expect transport=\(transport) streams=\(count)" + (feedback.map { " feedback=\($0)" } ?? ""))
    }

    /// The lines since the last call.
    mutating func takeText() -> String {
        defer { (transports, streams) = ([], []) }
        return (transports + streams).joined(separator: "\n") + "\n"
    }
}
