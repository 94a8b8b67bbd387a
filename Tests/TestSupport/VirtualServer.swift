// Reads the media plane's internals, which a release build shows only with -enable-testing -DTESTING.
#if DEBUG || TESTING
    @testable import RoundhouseMedia

    /// A whole media plane without sockets, clock or threads: shards with their queues and rings, driven in virtual time.
    // Safe: `shards` owns `count` initialized shards from `init` to `deinit`; a test drives them from one thread.
    final class VirtualServer {
        let handle: MediaHandle
        let counters: [Counters]
        let addresses: [[IPAddressPort]]
        let count: Int
        /// Messages of several pieces, and their pieces: what UDP_SEGMENT would carry.
        private(set) var segmentedMessages = 0
        private(set) var datagramsSent = 0
        private let shards: UnsafeMutablePointer<Shard>
        private let queues: [MPSCQueue<MediaCommand>]
        private let outputs: [Output]
        private let certificate: DTLSCertificate
        private let secret: HashSecret
        private let limits: IngressLimits
        private let canSegment: Bool
        private let sharesPort: Bool
        private var owners: [IPAddressPort: (shard: Int, socket: Int)] = [:]

        /// Connections on their way from one shard to another.
        private final class Released {
            private var streams: [Int32: VirtualStream] = [:]
            private var last: Int32 = -1

            func add(_ stream: VirtualStream) -> Int32 {
                last -= 1
                streams[last] = stream
                return last
            }

            func take(_ descriptor: Int32) -> VirtualStream? { streams.removeValue(forKey: descriptor) }
        }

        /// Takes a shard's messages apart again.
        private final class Output: DatagramOutput {
            var addresses: [IPAddressPort]
            /// Those of plain transports.
            var sockets: [AttachedSocket?] = []
            /// How many more `attach` takes.
            var socketsLeft = Int.max
            var messages = 0
            var datagrams = 0
            var segmented = 0
            /// Clients' connections, by their numbers.
            var streams: [Int: VirtualStream] = [:]
            /// Datagrams to send, oldest first.
            var outbox: [VirtualDatagram] = []
            private let released: Released

            init(addresses: [IPAddressPort], _ released: Released) {
                self.addresses = addresses
                self.released = released
            }

            func listen(on socket: AttachedSocket) -> Int? {
                addresses.append(socket.address)
                return addresses.count - 1
            }

            func attach(_ socket: AttachedSocket) -> Int? {
                guard socketsLeft > 0 else { return nil }
                socketsLeft -= 1
                let index = sockets.firstIndex { $0 == nil } ?? sockets.count
                if index == sockets.count { sockets.append(nil) }
                sockets[index] = socket
                return Shard.mostSockets + index
            }

            func detach(_ socket: Int) {
                if socket >= Shard.mostSockets { sockets[socket - Shard.mostSockets] = nil }
            }

            func write(_ bytes: UnsafeRawBufferPointer, to connection: Int) -> Int? {
                guard let stream = streams[connection] else { return nil }
                let (taken, packets) = stream.write(bytes)
                for packet in packets {
                    outbox.append(VirtualDatagram(bytes: packet, from: stream.local, to: stream.remote))
                }
                return taken
            }

            func closeConnection(_ connection: Int) { streams[connection] = nil }

            func releaseConnection(_ connection: Int) -> Int32? {
                guard let stream = streams.removeValue(forKey: connection) else { return nil }
                return released.add(stream)
            }

            func keepConnection(_ descriptor: Int32, as connection: Int) -> Bool {
                streams[connection] = released.take(descriptor)
                return streams[connection] != nil
            }

            func address(of socket: Int) -> IPAddressPort {
                // '!' okay: a shard sends on sockets that are attached.
                socket < Shard.mostSockets ? addresses[socket] : sockets[socket - Shard.mostSockets]!.address
            }

            func send(_ messages: UnsafePointer<OutgoingMessage>, count: Int, from socket: Int) -> Int {
                for index in 0..<count {
                    let message = messages[index]
                    self.messages += 1
                    if message.datagrams.count > 1 { segmented += 1 }
                    for (index, bytes) in message.datagrams.enumerated() {
                        precondition(
                            bytes.count == message.segmentSize
                                || (index == message.datagrams.count - 1 && bytes.count < message.segmentSize),
                            "the kernel would cut this message elsewhere")
                        outbox.append(
                            VirtualDatagram(
                                bytes: Array(bytes), from: address(of: socket), to: message.destination))
                        datagrams += 1
                    }
                }
                return 0
            }
        }

        /// - Parameters:
        ///   - sockets: addresses of each shard: 10.0.0.1, 10.0.0.2, ….
        ///   - sharesPort: whether all shards have the same ones; clients are spread over them by their addresses.
        init(
            shards count: Int = 1, sockets: Int = 1, sharesPort: Bool = false, seed: UInt64 = 1,
            canSegment: Bool = true,
            limits: IngressLimits = IngressLimits(), now: MediaInstant
        ) throws {
            let certificate = try DTLSCertificate()
            let queues = (0..<count).map { _ in MPSCQueue<MediaCommand>(capacity: 65_536, reserve: 16_384) }
            let rings = (0..<count).map { from in
                (0..<count).map { SPSCRing(capacity: $0 == from ? 4096 : ShardLinks.ringCapacity) }
            }
            let inboxes = (0..<count).map { _ in DataInbox() }
            relayInboxes = (0..<count).map { _ in RelayInbox() }
            var random = SplitMix(seed: seed)
            let secret = HashSecret(using: &random)
            self.secret = secret
            self.limits = limits
            self.count = count
            self.queues = queues
            self.certificate = certificate
            self.canSegment = canSegment
            self.sharesPort = sharesPort
            addresses = (0..<count).map { shard in
                (0..<sockets).map {
                    IPAddressPort(ipv4: 0x0A00_0001 + UInt32($0), port: UInt16(40_000 + (sharesPort ? 0 : shard)))
                }
            }
            let released = Released()
            outputs = addresses.map { Output(addresses: $0, released) }
            counters = (0..<count).map { _ in Counters() }
            shards = .allocate(capacity: count)
            for index in 0..<count {
                (shards + index).initialize(
                    to: Shard(
                        index: index, certificate: certificate, localAddresses: addresses[index],
                        output: outputs[index],
                        canSegment: canSegment, counters: counters[index],
                        links: ShardLinks(
                            index: index, rings: rings, queues: queues, inboxes: inboxes, relays: relayInboxes[index],
                            sharesPort: sharesPort
                        ) { _ in },
                        seed: seed &+ UInt64(index), secret: secret, limits: limits,
                        now: now))
            }
            let endpoints = addresses.map { list in
                ShardEndpoint(
                    addresses: list.map { CandidateAddress(address: $0.addressText, port: $0.port, transport: .udp) })
            }
            handle = MediaHandle(
                endpoints: EndpointTable(endpoints), fingerprints: certificate.fingerprints,
                serial: KeySerial(shards: count),
                openSockets: PlainSockets.simulated(address: addresses[0][0], from: 20_000), sharesPort: sharesPort
            ) { shard, command in queues[shard].push(command, urgent: false) != .full }
            for (shard, list) in addresses.enumerated() {
                for (socket, address) in list.enumerated() { owners[address] = (shard, socket) }
            }
        }

        deinit {
            for index in 0..<count { shards[index].closeAll() }
            shards.deinitialize(count: count)
            shards.deallocate()
        }

        /// The machine gets an address, and a shard a socket for it.
        func listen(on address: IPAddressPort, shard: Int) {
            owners[address] = (shard, outputs[shard].addresses.count)
            _ = queues[shard].push(
                .listen(AttachedSocket(descriptor: -1, address: address)), urgent: true)
        }

        func owns(_ address: IPAddressPort) -> Bool { owners[address] != nil || plainOwner(of: address) != nil }

        /// The shard whose socket gets what a client sends, and the socket's number.
        private func owner(of local: IPAddressPort, from remote: IPAddressPort) -> (shard: Int, socket: Int)? {
            guard let owner = owners[local], sharesPort else { return owners[local] }
            return (Int(remote.low ^ UInt64(remote.port)) % count, owner.socket)
        }

        /// The shard and the number of a plain transport's socket.
        private func plainOwner(of address: IPAddressPort) -> (shard: Int, socket: Int)? {
            for (shard, output) in outputs.enumerated() {
                guard let index = output.sockets.firstIndex(where: { $0?.address == address }) else { continue }
                return (shard, Shard.mostSockets + index)
            }
            return nil
        }

        /// Sockets of plain transports that are attached.
        var plainSockets: Int { outputs.reduce(0) { $0 + $1.sockets.count { $0 != nil } } }

        /// Lets shards attach only so many sockets more.
        func limitPlainSockets(to count: Int) { for output in outputs { output.socketsLeft = count } }

        // MARK: TCP

        /// Clients whose packets come by connections, one for each address they send to.
        var overTCP: Set<IPAddressPort> = []
        /// Into how many bytes at most what comes by connections is cut.
        var segmentSize = Int.max
        private var lastTick: MediaInstant?

        /// Connections that are open.
        var streams: [VirtualStream] { outputs.flatMap(\.streams.values) }

        /// A client connects. Its shard may send it away.
        /// - Returns: the shard and the connection's number.
        func connect(from remote: IPAddressPort, to local: IPAddressPort) -> (shard: Int, number: Int)? {
            guard let (shard, _) = owner(of: local, from: remote),
                let number = shards[shard].connectionAccepted(from: remote, to: local)
            else { return nil }
            outputs[shard].streams[number] = VirtualStream(remote: remote, local: local)
            return (shard, number)
        }

        /// Bytes come in on a connection.
        func receive(_ bytes: [UInt8], on connection: (shard: Int, number: Int)) {
            var start = 0
            while start < bytes.count {
                let count = min(segmentSize, bytes.count - start)
                var piece = Array(bytes[start..<start + count])
                piece.withUnsafeMutableBytes { shards[connection.shard].streamReceived($0, on: connection.number) }
                start += count
            }
        }

        /// A client's connections end.
        func disconnect(_ remote: IPAddressPort) {
            for shard in 0..<count {
                for (number, stream) in outputs[shard].streams where stream.remote == remote {
                    shards[shard].connectionLost(number)
                }
            }
        }

        private func deliverByConnection(_ datagram: VirtualDatagram, shard: Int) {
            // It may have been handed on.
            for owner in sharesPort ? 0..<count : shard..<shard + 1 {
                let known = outputs[owner].streams.first {
                    $0.value.remote == datagram.from && $0.value.local == datagram.to
                }
                if let known { return receive(VirtualStream.frame(datagram.bytes), on: (owner, known.key)) }
            }
            // Clients connect for a check.
            guard datagram.bytes.withUnsafeBytes({ DatagramKind.classify($0) == .stun }),
                let new = connect(from: datagram.from, to: datagram.to)
            else { return }
            receive(VirtualStream.frame(datagram.bytes), on: new)
        }

        private func advanceStreams(to now: MediaInstant) {
            defer { lastTick = now }
            guard let lastTick else { return }
            for shard in 0..<count {
                for (number, stream) in outputs[shard].streams where stream.advance(by: now - lastTick) {
                    shards[shard].connectionWritable(number)
                }
            }
        }

        // MARK: TURN

        /// Clients whose packets come through the TURN server, each with an allocation whose address is its own.
        var overRelay: Set<IPAddressPort> = []
        private(set) var relayPaths: [RelayPath] = []
        private let relayInboxes: [RelayInbox]

        private func deliverByRelay(_ datagram: VirtualDatagram, shard: Int) {
            relayPaths.removeAll(where: \.isOver)
            var path = relayPaths.first { $0.relayed == datagram.from && $0.peer == datagram.to }
            if path == nil, datagram.bytes.withUnsafeBytes({ DatagramKind.classify($0) == .stun }) {
                let new = RelayPath(
                    relayed: datagram.from, client: datagram.from, peer: datagram.to, kind: .tls,
                    inbox: relayInboxes[shard], wakeShard: {}, wakeClient: {})
                relayPaths.append(new)
                path = new
            }
            _ = path?.send(datagram.bytes)
        }

        private func takeFromRelays() -> [VirtualDatagram] {
            var taken: [VirtualDatagram] = []
            var packet: [UInt8] = []
            for path in relayPaths {
                path.began()
                while path.next(into: &packet) {
                    taken.append(VirtualDatagram(bytes: packet, from: path.peer, to: path.relayed))
                }
                path.drained()
            }
            return taken
        }

        /// One tick of every shard: commands, rings, the datagrams that have arrived, then what is due. Repeated until the
        /// shards have nothing for each other.
        /// - Returns: what they send.
        func tick(_ arrived: [VirtualDatagram], at now: MediaInstant) -> [VirtualDatagram] {
            var arrived = arrived
            for _ in 0..<8 {
                for index in 0..<count {
                    shards[index].beginTick(at: now, wallClock: VirtualClock.wallClock(at: now))
                    shards[index].drainCommands(limit: .max)
                    shards[index].drainRings()
                }
                advanceStreams(to: now)
                for datagram in arrived { deliver(datagram) }
                arrived.removeAll()
                for index in 0..<count { shards[index].endTick() }
                if !(0..<count).contains(where: { shards[$0].links.hasIncoming }) { break }
            }
            var sent: [VirtualDatagram] = []
            for output in outputs {
                sent.append(contentsOf: output.outbox)
                output.outbox.removeAll(keepingCapacity: true)
            }
            sent += takeFromRelays()
            datagramsSent += sent.count
            segmentedMessages = outputs.reduce(0) { $0 + $1.segmented }
            return sent
        }

        /// When some shard has something to do by itself.
        var nextDeadline: MediaInstant? {
            let waiting = lastTick.flatMap { tick in
                streams.contains(where: \.isShort) ? tick + .milliseconds(5) : nil
            }
            return (0..<count).map { shards[$0].nextDeadline() }.reduce(waiting) { earliest($0, $1) }
        }

        /// A look at one shard's state, or a change to it, between ticks.
        func withShard<Result>(_ index: Int, _ body: (inout Shard) throws -> Result) rethrows -> Result {
            try body(&shards[index])
        }

        /// Has another shard go on where one stands, by its snapshot alone: what an upgrade does between two ticks.
        /// - Parameter change: to the snapshot on its way.
        /// - Returns: the snapshot.
        @discardableResult
        func replaceShard(_ index: Int, at now: MediaInstant, change: (inout [UInt8]) -> Void = { _ in }) throws
            -> [UInt8]
        {
            guard var snapshot = shards[index].snapshot() else {
                throw MediaError(.system, "a transport's state cannot be had")
            }
            change(&snapshot)
            var queues: [TransportKey: EventQueue] = [:]
            var sockets: [TransportKey: PlainSockets] = [:]
            for transport in shards[index].transports.slots {
                let key = shards[index].transports[transport].key
                queues[key] = shards[index].transports[transport].events
                guard case .plain(let plain) = shards[index].transports[transport].association else { continue }
                let own = shards[index].plainAssociations[plain].sockets
                sockets[key] = own
                for number in Set([
                    shards[index].plainAssociations[plain].socket, shards[index].plainAssociations[plain].rtcpSocket,
                ]) {
                    outputs[index].detach(number)
                }
            }
            var successor = Shard(
                index: index, certificate: certificate, localAddresses: addresses[index], output: outputs[index],
                canSegment: canSegment, counters: counters[index], links: shards[index].links, seed: 0,
                secret: secret, limits: limits, now: now)
            try successor.restore(snapshot, events: { queues[$0] }, sockets: { sockets[$0] })
            (shards + index).deinitialize(count: 1)
            (shards + index).initialize(to: successor)
            return snapshot
        }

        func value(_ counter: ShardCounter) -> UInt64 { counters.reduce(0) { $0 + $1.value(counter) } }

        func value(_ reason: DropReason) -> UInt64 { counters.reduce(0) { $0 + $1.value(reason) } }

        /// Every drop reason with a count.
        var drops: [DropReason: UInt64] {
            var result: [DropReason: UInt64] = [:]
            for reason in DropReason.allCases where value(reason) > 0 { result[reason] = value(reason) }
            return result
        }

        private func deliver(_ datagram: VirtualDatagram) {
            guard let (shard, socket) = owner(of: datagram.to, from: datagram.from) ?? plainOwner(of: datagram.to)
            else { return }
            if overRelay.contains(datagram.from) { return deliverByRelay(datagram, shard: shard) }
            if overTCP.contains(datagram.from) { return deliverByConnection(datagram, shard: shard) }
            var bytes = datagram.bytes
            let isOversized = bytes.count > EpollLoop.largestDatagram
            bytes.withUnsafeMutableBytes { buffer in
                shards[shard].datagramReceived(isOversized ? nil : buffer, from: datagram.from, on: socket)
            }
        }
    }
#endif
