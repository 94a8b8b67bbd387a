import RoundhouseMedia

/// The last hour of a room, minute by minute.
///
/// A machine: whoever has the counters gives them, about once a minute.
struct RoomMinutes: Sendable {
    /// Packets that were due, and those of them that were lost.
    private struct Tally {
        var due: UInt64 = 0
        var lost: UInt64 = 0
        var share: Double? { due > 0 ? Double(min(lost, due)) / Double(due) : nil }

        static func += (tally: inout Tally, other: Tally) {
            tally.due &+= other.due
            tally.lost &+= other.lost
        }
    }

    private struct Stream: Hashable {
        var transport: TransportKey
        var ssrc: SSRC
    }

    private struct Packets {
        var count: UInt64
        var lost: Int64
    }

    private struct Bytes {
        var received: UInt64 = 0
        var sent: UInt64 = 0
    }

    /// Minutes that are kept.
    static let limit = 60

    private(set) var minutes: [RoomMinute] = []
    private var bytes: [TransportKey: Bytes] = [:]
    private var packets: [Stream: Packets] = [:]

    /// Ends a minute.
    /// - Parameters:
    ///   - collected: what all transports of the room have counted; the minute goes on if some are missing.
    ///   - until: when that was, in milliseconds since 1970.
    mutating func take(_ collected: CollectedStatistics, of state: RoomState, openedAt: Int64, until: Int64) {
        let from = minutes.last?.until ?? openedAt
        guard collected.isComplete, until > from else { return }
        let (formerBytes, formerPackets) = (bytes, packets)
        (bytes, packets) = ([:], [:])
        var (received, sent) = (Tally(), Tally())
        var (bytesReceived, bytesSent): (UInt64, UInt64) = (0, 0)
        var ofPeers: [PeerID: (received: Tally, sent: Tally)] = [:]
        var roundTrip: MediaDuration?
        for (key, statistics) in collected.transports {
            let before = formerBytes[key] ?? Bytes()
            bytes[key] = Bytes(received: statistics.bytes.received, sent: statistics.bytes.sent)
            bytesReceived &+= Self.growth(statistics.bytes.received, before.received)
            bytesSent &+= Self.growth(statistics.bytes.sent, before.sent)
            var (own, others) = (Tally(), Tally())
            for stream in statistics.producers.flatMap(\.streams) {
                let packets = Packets(count: stream.packetsReceived, lost: stream.packetsLost)
                let new = note(packets, of: Stream(transport: key, ssrc: stream.ssrc), formerPackets)
                own += Tally(due: new.due &+ new.lost, lost: new.lost)
            }
            for consumer in statistics.consumers {
                let packets = Packets(count: consumer.packetsSent, lost: consumer.packetsLost)
                others += note(packets, of: Stream(transport: key, ssrc: consumer.ssrc), formerPackets)
                if let time = consumer.roundTripTime { roundTrip = max(roundTrip ?? time, time) }
            }
            received += own
            sent += others
            guard let peer = state.transportIDs[key].flatMap({ state.transports[$0] })?.peerID else { continue }
            ofPeers[peer, default: (Tally(), Tally())].received += own
            ofPeers[peer, default: (Tally(), Tally())].sent += others
        }
        let milliseconds = UInt64(until - from)
        if minutes.count >= Self.limit { minutes.removeFirst() }
        minutes.append(
            RoomMinute(
                from: from, until: until, peers: state.counts.peers, producers: state.counts.producers,
                consumers: state.counts.consumers, receivedBitrate: Self.rate(bytesReceived, milliseconds),
                sentBitrate: Self.rate(bytesSent, milliseconds), lossReceived: received.share, lossSent: sent.share,
                roundTrip: roundTrip.map { $0.seconds * 1000 }, worst: Self.worst(ofPeers, state)))
    }

    /// Keeps a stream's counters for the next minute.
    /// - Returns: what is new of it.
    private mutating func note(_ now: Packets, of stream: Stream, _ former: [Stream: Packets]) -> Tally {
        let before = former[stream] ?? Packets(count: 0, lost: 0)
        packets[stream] = now
        // Duplicates may bring the count of losses down (RFC 3550 §6.4.1).
        let lost = now.lost.subtractingReportingOverflow(before.lost)
        return Tally(
            due: Self.growth(now.count, before.count), lost: lost.overflow ? 0 : UInt64(max(0, lost.partialValue)))
    }

    /// A counter that has become smaller is a new one.
    private static func growth(_ now: UInt64, _ before: UInt64) -> UInt64 { now >= before ? now - before : now }

    private static func rate(_ bytes: UInt64, _ milliseconds: UInt64) -> UInt64 {
        UInt64(min(Double(bytes) * 8000 / Double(milliseconds), 1e18))
    }

    private static func worst(
        _ peers: [PeerID: (received: Tally, sent: Tally)], _ state: RoomState
    ) -> RoomMinute.Worst? {
        let losses = peers.map { id, tally in (id, max(tally.received.share ?? 0, tally.sent.share ?? 0)) }
        // Of two alike it is always the same one.
        guard let (id, loss) = losses.max(by: { ($0.1, $1.0.rawValue) < ($1.1, $0.0.rawValue) }), loss > 0 else {
            return nil
        }
        return RoomMinute.Worst(
            peerID: id, displayName: state.peers[id]?.description.displayName ?? id.rawValue, loss: loss)
    }
}
