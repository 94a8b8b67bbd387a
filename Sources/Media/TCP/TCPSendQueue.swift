// Safe: what is staged is compared with the room that there is.

/// What waits for a connection that takes no more now: bounded in bytes and in time, whole packets at a time.
///
/// A connection that was cut within a packet goes on with its rest, whatever happens: its other side could not tell where
/// packets begin otherwise. What is most urgent is sent first, and what is least urgent makes room: the oldest video, then
/// sound, then data.
///
/// Memory: nothing while the connection takes everything; then what waits, at most `capacity` and `controlCapacity`.
struct TCPSendQueue {
    /// Bytes of media and data: what 2 Mbit/s carry in a quarter of a second.
    static let capacity = 65_536
    /// Bytes of what keeps the call alive, beside them.
    static let controlCapacity = 8_192

    /// The rest of a packet that was cut.
    private var torn: ArraySlice<UInt8> = []
    private var lists = [TCPFrameList](repeating: TCPFrameList(), count: TCPFrameKind.allCases.count)
    /// Bytes of media and data.
    private var mediaBytes = 0
    /// Packets that were given up since `takeDropped`.
    private var dropped = InlineArray<4, Int>(repeating: 0)

    init() {}

    var isEmpty: Bool { count == 0 }
    /// Bytes that wait.
    var count: Int { torn.count + lists[TCPFrameKind.control.rawValue].count + mediaBytes }

    /// Whether a packet finds room without another one's being given up.
    func hasRoom(for length: Int, _ kind: TCPFrameKind) -> Bool {
        let length = length + TCPFrameReader.headerLength
        return kind == .control
            ? lists[kind.rawValue].count + length <= Self.controlCapacity : mediaBytes + length <= Self.capacity
    }

    /// Queues a packet. If it finds no room, older ones make it, or it is given up itself.
    mutating func append(_ packet: some Collection<UInt8>, _ kind: TCPFrameKind, at now: MediaInstant) {
        while !hasRoom(for: packet.count, kind) {
            guard let expendable = expendable(for: kind) else {
                dropped[kind.rawValue] += 1
                return
            }
            drop(expendable)
        }
        lists[kind.rawValue].append(packet, at: now)
        if kind != .control { mediaBytes += packet.count + TCPFrameReader.headerLength }
    }

    /// The kind whose oldest packet makes room for one of another.
    private func expendable(for kind: TCPFrameKind) -> TCPFrameKind? {
        guard kind != .control else { return lists[kind.rawValue].isEmpty ? nil : kind }
        return [TCPFrameKind.video, .audio, .data].first {
            $0.expendability >= kind.expendability && !lists[$0.rawValue].isEmpty
        }
    }

    private mutating func drop(_ kind: TCPFrameKind) {
        let before = lists[kind.rawValue].count
        lists[kind.rawValue].dropFirst()
        if kind != .control { mediaBytes -= before - lists[kind.rawValue].count }
        dropped[kind.rawValue] += 1
    }

    /// Gives up what has waited for so long that nobody wants it any more.
    mutating func dropStale(at now: MediaInstant) {
        for kind in TCPFrameKind.allCases {
            guard let patience = kind.patience else { continue }
            while let oldest = lists[kind.rawValue].oldest, now - oldest > patience { drop(kind) }
        }
    }

    /// How many packets of each kind, in the order of `TCPFrameKind`, were given up since the last call.
    mutating func takeDropped() -> InlineArray<4, Int> {
        defer { dropped = InlineArray(repeating: 0) }
        return dropped
    }

    /// Copies what is to be sent next.
    /// - Returns: how much it is; `sent` says how much of it the connection took.
    func stage(into space: UnsafeMutableRawBufferPointer) -> Int {
        var count = 0
        func add(_ bytes: ArraySlice<UInt8>) {
            let part = bytes.prefix(space.count - count)
            unsafe UnsafeMutableRawBufferPointer(rebasing: space[count...]).copyBytes(from: part)
            count += part.count
        }
        add(torn)
        for list in lists { add(list.waiting) }
        return count
    }

    /// The connection took so many bytes of what was staged.
    mutating func sent(_ count: Int) {
        let ofTorn = min(count, torn.count)
        torn = torn.dropFirst(ofTorn)
        var left = count - ofTorn
        for kind in TCPFrameKind.allCases where left > 0 {
            let before = lists[kind.rawValue].count
            let taken = min(left, before)
            guard taken > 0 else { continue }
            let rest = lists[kind.rawValue].sent(taken)
            if kind != .control { mediaBytes -= before - lists[kind.rawValue].count }
            if !rest.isEmpty { torn = ArraySlice(rest) }
            left -= taken
        }
        if torn.isEmpty { torn = [] }
    }
}
