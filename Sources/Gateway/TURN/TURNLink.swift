import NIOCore
import RoundhouseMedia

/// One client of the TURN server, whatever carries it: its session, and the ways of its allocation into the media plane.
///
/// Belongs to its channel's event loop. What the client does not take waits in the media plane, which gives up what is least urgent.
final class TURNLink {
    private let service: TURNService
    private let client: IPAddressPort
    private let kind: RelayKind
    private let eventLoop: any EventLoop
    /// Writes to the client; `flush` follows.
    private let write: (ByteBuffer) -> Void
    private let flush: () -> Void
    private let isWritable: () -> Bool
    /// Called when nothing more is to be expected of it.
    private let ended: () -> Void
    private var session: TURNSession
    private var paths: [IPAddressPort: RelayPath] = [:]
    /// Ways that were opened, and requests that came, in this second.
    private var openedIn = (second: Int64(0), count: 0)
    private var askedIn = (second: Int64(0), count: 0)
    private var deadline: Scheduled<Void>?
    private var packet: [UInt8] = []
    private var isOver = false
    private let allocator = ByteBufferAllocator()
    /// Ends it, from any thread.
    private(set) var remoteEnd: @Sendable () -> Void = {}

    init(
        service: TURNService, client: IPAddressPort, kind: RelayKind, eventLoop: any EventLoop,
        write: @escaping (ByteBuffer) -> Void, flush: @escaping () -> Void, isWritable: @escaping () -> Bool,
        ended: @escaping () -> Void
    ) {
        self.service = service
        self.client = client
        self.kind = kind
        self.eventLoop = eventLoop
        self.write = write
        self.flush = flush
        self.isWritable = isWritable
        self.ended = ended
        session = TURNSession(client: client, at: TURNService.time.now)
        let bound = NIOLoopBound(WeakLink(self), eventLoop: eventLoop)
        remoteEnd = { [eventLoop] in eventLoop.execute { bound.value.link?.end() } }
        schedule()
    }

    var isAllocated: Bool { session.isAllocated }

    // MARK: The client's side

    /// - Returns: whether it was one.
    func received(_ frame: TURNStreamReader.Frame) -> Bool {
        switch frame {
        case .message(let message):
            guard !TURNSession.isRequest(message) || mayAsk() else {
                service.count(.requestsLimited)
                return true
            }
            switch service.received(message, in: &session, by: self) {
            case .reply(let bytes):
                // Answers to a client that reads none would pile up here.
                if isWritable() { write(allocator.buffer(bytes: bytes)) } else { service.count(.undeliverable) }
                // An allocation that was given back takes its ways along.
                if !session.isAllocated { closePaths() }
                schedule()
            case .relay(let peer, let shard, let range): relay(Array(message[range]), to: peer, shard)
            case .nothing: break
            }
        case .channelData(let channel, let payload):
            if let (peer, shard) = session.received(channel: channel, at: TURNService.time.now) {
                relay(payload, to: peer, shard)
            } else {
                service.count(.unpermitted)
            }
        case .incomplete: break
        case .malformed:
            service.count(.malformed)
            return false
        }
        return true
    }

    private func relay(_ payload: [UInt8], to peer: IPAddressPort, _ shard: Int) {
        guard let path = path(to: peer, shard, beginsWith: payload) else { return service.count(.unpermitted) }
        if !path.send(payload) { service.count(.queueFull) }
    }

    /// The way to a peer. It begins with a check, as whatever the media plane knows begins with one.
    private func path(to peer: IPAddressPort, _ shard: Int, beginsWith first: [UInt8]) -> RelayPath? {
        if let path = paths[peer], !path.isOver { return path }
        guard let kindOfFirst = first.first, kindOfFirst <= 1, let relayed = session.relayed, mayOpen() else {
            return nil
        }
        let bound = NIOLoopBound(WeakLink(self), eventLoop: eventLoop)
        let path = service.relay.open(
            for: first, shard: shard, peer: peer, relayed: relayed, client: client, kind: kind
        ) { [eventLoop] in
            eventLoop.execute { bound.value.link?.deliver(from: peer) }
        }
        paths[peer] = path
        return path
    }

    private func mayAsk() -> Bool {
        let second = TURNService.time.unix
        if second != askedIn.second { askedIn = (second, 0) }
        askedIn.count += 1
        return askedIn.count <= TURNLimits.requestsPerSecond
    }

    private func mayOpen() -> Bool {
        let second = TURNService.time.unix
        if second != openedIn.second { openedIn = (second, 0) }
        openedIn.count += 1
        return openedIn.count <= TURNLimits.pathsPerSecond
    }

    // MARK: The media's side

    private func deliver(from peer: IPAddressPort) {
        guard let path = paths[peer] else { return }
        path.began()
        deliver(path)
        flush()
    }

    /// The client takes more again.
    func becameWritable() {
        for path in paths.values { deliver(path) }
        flush()
    }

    private func deliver(_ path: RelayPath) {
        let now = TURNService.time.now
        while isWritable() {
            guard path.next(into: &packet) else {
                path.drained()
                if path.isOver { paths[path.peer] = nil }
                return
            }
            guard
                let envelope = session.envelope(of: packet.count, from: path.peer, isStream: kind != .udp, at: now)
            else {
                service.count(.undeliverable)
                continue
            }
            var buffer = allocator.buffer(capacity: envelope.header.count + packet.count + envelope.padding)
            buffer.writeBytes(envelope.header)
            buffer.writeBytes(packet)
            buffer.writeRepeatingByte(0, count: envelope.padding)
            write(buffer)
            // So that what was written counts.
            flush()
        }
    }

    // MARK: Time, and the end

    private func schedule() {
        deadline?.cancel()
        guard !isOver else { return }
        let bound = NIOLoopBound(WeakLink(self), eventLoop: eventLoop)
        deadline = eventLoop.scheduleTask(
            deadline: .uptimeNanoseconds(session.nextDeadline.nanoseconds)
        ) { bound.value.link?.deadlineReached() }
    }

    private func deadlineReached() {
        guard !isOver else { return }
        let isDone = service.deadlineReached(&session, by: self)
        if !session.isAllocated { closePaths() }
        if isDone { end() } else { schedule() }
    }

    /// The client is gone, or has to go.
    func end() {
        guard !isOver else { return }
        isOver = true
        deadline?.cancel()
        service.release(&session, by: self)
        closePaths()
        ended()
    }

    private func closePaths() {
        for path in paths.values { path.close() }
        paths.removeAll()
    }

    /// What other threads keep of it.
    private struct WeakLink {
        weak var link: TURNLink?

        init(_ link: TURNLink) { self.link = link }
    }
}
