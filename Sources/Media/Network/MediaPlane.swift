import CLinuxNet
import Synchronization

/// The media plane of one process: its shards, their sockets and threads, and the certificate they share.
///
/// Open it, take a handle for each room, close it at the end.
public final class MediaPlane: Sendable {
    /// The door for rooms.
    public let handle: MediaHandle
    /// Why some clients that UDP does not reach will get no media; mostly empty.
    public let listenerFailures: [String]
    private let threads: [ShardThread]
    private let serial: KeySerial
    private let follower: AddressFollower
    private let state = Mutex(State.ready)

    private enum State {
        case ready
        /// With the task that measures what the shards do.
        case running(Task<Void, Never>?)
        case closed
    }

    /// More would not fit the bit sets of subscribed shards.
    static let mostShards = 64
    /// A room sends a few commands per peer and consumer; this many wait at most, the last of them closing commands.
    static let commandCapacity = 65_536
    static let commandReserve = 16_384

    /// Binds every shard's sockets and makes or reads the certificate. Nothing runs until `start`.
    /// - Parameter addressesChanged: called while it runs, when the addresses of a wildcard have changed.
    /// - Throws: `MediaError` with code `system`, `certificate` or `invalidSetting`, naming the setting to change.
    public init(
        configuration: MediaConfiguration, addressesChanged: @escaping @Sendable (AddressChange) -> Void = { _ in }
    ) throws(MediaError) {
        let count = configuration.shards ?? min(Int(cln_processor_count()), Self.mostShards)
        guard (1...Self.mostShards).contains(count) else {
            throw MediaError(.invalidSetting, "--shards must be 1 to \(Self.mostShards), not \(count)")
        }
        let certificate = try Self.certificate(configuration)
        let addresses = try Self.listenAddresses(configuration)
        var opened: [EpollLoop] = []
        for index in 0..<count {
            do throws(MediaError) {
                // Where the kernel was to choose, the first shard's choice stands for all that share a port.
                let own = try Self.ports(addresses, configuration, shard: index)
                let places = configuration.sharesPort ? opened.first?.localAddresses ?? own : own
                opened.append(
                    try EpollLoop(
                        addresses: places, tcp: configuration.tcpPorts, shard: index,
                        isShared: configuration.sharesPort, bufferBytes: configuration.bufferBytes))
            } catch {
                for io in opened { io.close() }
                throw error
            }
        }
        listenerFailures = opened.flatMap(\.listenerFailures)
        let table = EndpointTable(
            opened.map {
                ShardEndpoint(
                    bound: $0.localAddresses, listening: $0.listenerAddresses.compactMap(\.self),
                    announced: configuration.announcedAddresses)
            })
        let queues = (0..<count).map { _ in
            MPSCQueue<MediaCommand>(capacity: Self.commandCapacity, reserve: Self.commandReserve)
        }
        let rings = (0..<count).map { from in
            (0..<count).map { SPSCRing(capacity: $0 == from ? 4096 : ShardLinks.ringCapacity) }
        }
        let inboxes = (0..<count).map { _ in DataInbox() }
        let relays = (0..<count).map { _ in RelayInbox() }
        let wakers = opened.map { ShardWaker(descriptor: $0.wakeDescriptor) }
        var system = SystemRandomNumberGenerator()
        let secret = HashSecret(using: &system)
        threads = opened.enumerated().map { index, io in
            let counters = Counters()
            let seed = system.next()
            return ShardThread(
                index: index, io: io, counters: counters, queue: queues[index], pins: configuration.pinsThreads
            ) {
                Shard(
                    index: index, certificate: certificate, localAddresses: io.localAddresses, output: io,
                    canSegment: io.canSegment, counters: counters,
                    links: ShardLinks(
                        index: index, rings: rings, queues: queues, inboxes: inboxes, relays: relays[index],
                        sharesPort: configuration.sharesPort
                    ) {
                        wakers[$0].wake()
                    },
                    seed: seed,
                    secret: secret, limits: configuration.ingressLimits, now: .current)
            }
        }
        let serial = KeySerial(shards: count)
        self.serial = serial
        var openSockets: MediaHandle.SocketOpener?
        if let source = Self.plainSockets(configuration, bound: opened[0].localAddresses) {
            openSockets = { usesRTCPMux throws(MediaError) in try source.open(usesRTCPMux: usesRTCPMux) }
        }
        let send: MediaHandle.Sink = { shard, command in
            switch queues[shard].push(command, urgent: command.mustNotBeLost) {
            case .full: return false
            case .enqueued: return true
            case .enqueuedWakeConsumer:
                wakers[shard].wake()
                return true
            }
        }
        follower = AddressFollower(
            configuration, bound: opened.map(\.localAddresses), listening: opened.map(\.listenerAddresses),
            table: table,
            send: send, report: addressesChanged)
        handle = MediaHandle(
            endpoints: table, fingerprints: certificate.fingerprints, serial: serial,
            openSockets: openSockets,
            destinations: { [ranges = configuration.plainDestinations] requester in
                // Interfaces come and go: looked at for each transport.
                let own = [.ipv4, .ipv6].flatMap { NetworkInterfaces.addresses(family: $0, port: 0) }
                return PlainDestinations(ranges: ranges, requester: requester, own: own)
            },
            relay: MediaRelay(
                hosts: opened[0].localAddresses.map(\.addressText), sharers: configuration.sharesPort ? count : 0,
                peers: { [bound = opened.map(\.localAddresses)] in RelayPeers(table.current, bound: bound) }
            ) { shard, peer, relayed, client, kind, wake in
                RelayPath(
                    relayed: relayed, client: client, peer: peer, kind: kind, inbox: relays[shard],
                    wakeShard: { if queues[shard].mustWakeConsumer() { wakers[shard].wake() } }, wakeClient: wake)
            }, sharesPort: configuration.sharesPort, sink: send)
    }

    /// Whether a wildcard is listened on, and the machine has no address yet that leads here from others.
    public var awaitsAddress: Bool {
        follower.isNeeded
            && handle.endpoints.flatMap(\.addresses).allSatisfy { AddressReach($0.address) == .thisMachine }
    }

    /// Clients get other addresses from now on: those of host names change. Transports that are open keep what they have
    /// until they restart ICE, and plain ones for good.
    public func announce(_ addresses: [AnnouncedAddress]) { follower.announce(addresses) }

    /// Starts the shards' threads. Safe to call once; later calls do nothing.
    /// - Throws: `system` when the process may start no more threads.
    public func start() throws(MediaError) {
        let isFirst = state.withLock { state in
            guard case .ready = state else { return false }
            state = .running(nil)
            return true
        }
        guard isFirst else { return }
        for thread in threads where !thread.start() {
            throw MediaError(.system, "cannot start a media thread: raise the process's limit (ulimit -u)")
        }
        let (counters, serial, follower) = (threads.map(\.counters), serial, follower)
        let measuring = Task {
            while (try? await Task.sleep(for: .seconds(1))) != nil {
                serial.measured(packetsForwarded: counters.map { $0.value(.packetsForwarded) })
                if follower.isNeeded { follower.look(at: .current) }
            }
        }
        state.withLock { state in
            if case .running = state { state = .running(measuring) } else { measuring.cancel() }
        }
    }

    /// Stops the threads and closes the sockets; returns when they have ended. Safe to call twice.
    public func close() async {
        let previous = state.withLock { state in
            defer { state = .closed }
            return state
        }
        switch previous {
        case .closed: return
        case .ready: for thread in threads { thread.io.close() }
        case .running(let measuring):
            measuring?.cancel()
            for thread in threads { thread.stop() }
            for thread in threads { thread.join() }
        }
    }

    /// Counters of every shard, summed by the caller as needed.
    public func counters() -> [ShardCounters] {
        threads.map { thread in
            ShardCounters(
                shard: thread.index,
                values: ShardCounter.allCases.map { ($0.label, thread.counters.value($0)) },
                drops: DropReason.allCases.map { ($0.label, thread.counters.value($0)) },
                handshakeFailures: DTLSFailure.allCases.map { ($0.rawValue, thread.counters.value($0)) },
                quality: QualityMeasure.allCases.flatMap { measure in
                    [MediaKind.audio, .video].map { thread.counters.histogram(of: measure, $0) }
                },
                cpuSeconds: thread.cpuSeconds)
        }
    }

    private static func certificate(_ configuration: MediaConfiguration) throws(MediaError) -> DTLSCertificate {
        switch (configuration.certificateFile, configuration.privateKeyFile) {
        case (nil, nil): return try DTLSCertificate(isLegacy: configuration.acceptsLegacyDTLS)
        case (let certificate?, let key?):
            return try DTLSCertificate(
                certificateFile: certificate, privateKeyFile: key, isLegacy: configuration.acceptsLegacyDTLS)
        default:
            throw MediaError(
                .invalidSetting, "give both --dtls-certificate and --dtls-private-key, or neither of them")
        }
    }

    /// The addresses to bind. A wildcard becomes every address of the machine: a socket of its own for each makes the
    /// kernel answer from the address the client sent to, which ICE requires (RFC 8445 §7.2.5.2.1).
    private static func listenAddresses(_ configuration: MediaConfiguration) throws(MediaError) -> [IPAddressPort] {
        var addresses: [IPAddressPort] = []
        for text in configuration.listenAddresses {
            guard let address = IPAddressPort(text: text, port: 0) else {
                throw MediaError(.invalidSetting, "--media-listen takes IPv4 or IPv6 addresses, not \"\(text)\"")
            }
            let found =
                address.isUnspecified ? NetworkInterfaces.addresses(family: address.family, port: 0) : [address]
            for item in found where !addresses.contains(item) { addresses.append(item) }
        }
        guard !addresses.isEmpty else {
            throw MediaError(.invalidSetting, "no address to listen on: give one with --media-listen")
        }
        return Array(addresses.prefix(Shard.mostSockets))
    }

    private static func ports(
        _ addresses: [IPAddressPort], _ configuration: MediaConfiguration, shard: Int
    ) throws(MediaError) -> [IPAddressPort] {
        let port = configuration.port == 0 ? 0 : Int(configuration.port) + configuration.portOffset(of: shard)
        guard let port = UInt16(exactly: port) else {
            throw MediaError(.invalidSetting, "--media-port leaves no port for shard \(shard): choose a lower one")
        }
        return addresses.map {
            $0.family == .ipv4
                ? IPAddressPort(ipv4: $0.ipv4, port: port) : IPAddressPort(ipv6High: $0.high, low: $0.low, port: port)
        }
    }

    /// Plain transports listen on the first address as it was given, wildcards too: their clients do not mind which of
    /// the machine's addresses answers.
    private static func plainSockets(
        _ configuration: MediaConfiguration, bound: [IPAddressPort]
    ) -> PlainPorts? {
        guard let ports = configuration.plainPorts, let first = bound.first,
            let address = configuration.listenAddresses.lazy.compactMap({ IPAddressPort(text: $0, port: 0) }).first
        else { return nil }
        let reachable = bound.first { $0.family == address.family } ?? first
        // Clients of plain transports get one.
        let own = address.isUnspecified ? reachable : address
        let ip = configuration.announcedAddresses.texts(for: own).first ?? own.addressText
        return PlainPorts(address: address, ip: ip, ports: ports)
    }

}

extension ShardEndpoint {
    /// What clients get: the announced addresses with each bound port, or the bound addresses themselves. Those of TCP come
    /// last: they are for whom UDP does not reach.
    init(bound: [IPAddressPort], listening: [IPAddressPort], announced: [AnnouncedAddress]) {
        var addresses: [CandidateAddress] = []
        for (places, transport) in [(bound, CandidateTransport.udp), (listening, .tcp)] {
            for place in places {
                for text in announced.texts(for: place) {
                    let candidate = CandidateAddress(address: text, port: place.port, transport: transport)
                    if !addresses.contains(candidate) { addresses.append(candidate) }
                }
            }
        }
        self.init(addresses: addresses)
    }
}

extension MediaCommand {
    /// Closing commands may use the queue's reserve.
    fileprivate var mustNotBeLost: Bool {
        switch self {
        case .closeTransport, .closeProducer, .closeConsumer, .subscribeShard, .unsubscribeShard, .stopListening,
            .closeDataProducer, .closeDataConsumer, .closeDataChannel, .releaseDataConsumer, .subscribeShardToData,
            .unsubscribeShardFromData, .takeConnection:
            true
        default: false
        }
    }
}
