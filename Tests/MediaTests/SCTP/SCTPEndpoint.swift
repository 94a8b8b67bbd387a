@testable import RoundhouseMedia

/// One association with what it has said and received so far.
final class SCTPEndpoint {
    var association: SCTPAssociation
    private(set) var events: [SCTPEvent] = []
    private(set) var messages: [SCTPMessage] = []
    private var all: [SCTPEvent] = []
    private let buffer = UnsafeMutableRawBufferPointer.allocate(byteCount: 2048, alignment: 16)

    init(_ settings: SCTPSettings = SCTPSettings(), seed: UInt64) {
        association = SCTPAssociation(settings: settings, secret: Self.secret(seed))
    }

    deinit { buffer.deallocate() }

    static func secret(_ seed: UInt64) -> HMACSHA1Key { HMACSHA1Key(password: "secret of \(seed)") }

    func receive(_ packet: [UInt8], at now: MediaInstant) {
        packet.withUnsafeBytes { association.packetReceived($0, at: now) }
        drain()
    }

    /// Everything that it wants to send now.
    func packets(at now: MediaInstant) -> [[UInt8]] {
        var packets: [[UInt8]] = []
        while let count = association.pollTransmit(into: buffer, at: now) { packets.append(Array(buffer[..<count])) }
        drain()
        return packets
    }

    private func drain() {
        while let event = association.pollEvent() {
            all.append(event)
            if case .messageReceived(let message) = event { messages.append(message) } else { events.append(event) }
        }
    }

    /// Events with messages among them.
    func takeAll() -> [SCTPEvent] {
        defer { (all, events, messages) = ([], [], []) }
        return all
    }

    func takeMessages() -> [SCTPMessage] {
        defer { (messages, all) = ([], []) }
        return messages
    }

    func takeEvents() -> [SCTPEvent] {
        defer { (events, all) = ([], []) }
        return events
    }

    /// Writes it down and continues with what was written.
    func move() throws {
        var writer = SnapshotWriter()
        association.write(to: &writer)
        var reader = SnapshotReader(writer.bytes)
        association = try SCTPAssociation(restoring: &reader)
    }

    /// What must hold after every input.
    var isSound: Bool {
        let sender = association.sender
        // A timer that does not run while something is under way is the end of every transfer.
        let hasTimer = sender.outstanding.isEmpty || sender.deadline != nil
        return hasTimer && association.heldBytes <= association.heldLimit + 2048
    }
}

extension SCTPMessage {
    static func text(_ text: String, on stream: UInt16 = 1, isUnordered: Bool = false) -> SCTPMessage {
        SCTPMessage(stream: stream, payloadProtocol: .string, isUnordered: isUnordered, payload: Array(text.utf8))
    }

    /// Bytes by which a message is recognized: its number, and what follows from it.
    static func numbered(_ number: Int, count: Int, on stream: UInt16 = 1, isUnordered: Bool = false) -> SCTPMessage {
        var payload = (0..<max(count, 4)).map { UInt8(truncatingIfNeeded: number &* 31 &+ $0) }
        for index in 0..<4 { payload[index] = UInt8(truncatingIfNeeded: number >> (8 * index)) }
        return SCTPMessage(stream: stream, payloadProtocol: .binary, isUnordered: isUnordered, payload: payload)
    }

    var number: Int { (0..<4).reduce(0) { $0 | Int(payload[$1]) << (8 * $1) } }
}
