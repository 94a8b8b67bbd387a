// Reads the media plane's internals, which a release build shows only with -enable-testing -DTESTING.
#if DEBUG || TESTING
    @testable import RoundhouseMedia

    /// A server, a network and peers in one virtual time: the same seed gives the same run.
    final class VirtualWorld {
        let network: VirtualNetwork
        let server: VirtualServer
        private(set) var clock = VirtualClock()
        private(set) var members: [VirtualMember] = []
        private var owners: [IPAddressPort: VirtualPeer] = [:]
        private var random: SplitMix
        private var nextAddress: UInt32 = 0x0A01_0001
        /// What arrives within this time arrives in one tick, as with a kernel's batches.
        var quantum = MediaDuration.milliseconds(1)

        init(
            shards: Int = 1, sockets: Int = 1, sharesPort: Bool = false, seed: UInt64 = 1,
            limits: IngressLimits = IngressLimits()
        ) throws {
            random = SplitMix(seed: seed)
            network = VirtualNetwork(seed: random.next())
            server = try VirtualServer(
                shards: shards, sockets: sockets, sharesPort: sharesPort, seed: random.next(), limits: limits,
                now: clock.now)
        }

        var now: MediaInstant { clock.now }

        /// An address that nobody has; datagrams to it reach `peer`.
        func makeAddress(for peer: VirtualPeer? = nil) -> IPAddressPort {
            let address = IPAddressPort(ipv4: nextAddress, port: 50_000)
            nextAddress += 1
            if let peer { owners[address] = peer }
            return address
        }

        /// Datagrams to `address` reach `peer` from now on.
        func adopt(_ address: IPAddressPort, by peer: VirtualPeer) { owners[address] = peer }

        /// A new peer with a transport; connecting begins at once.
        func join(
            dtlsRole: DTLSRole = .client, hasOwnCertificate: Bool = false, consentTimeout: MediaDuration = .seconds(30),
            connects: Bool = true, limits: BitrateLimits? = nil, maximumIncoming: UInt64? = nil,
            data: DataTransportSettings? = nil,
            events: EventQueue = EventQueue {}
        ) throws -> VirtualMember {
            let address = makeAddress()
            let peer = try VirtualPeer(
                address: address, seed: random.next(), now: now, dtlsRole: dtlsRole,
                hasOwnCertificate: hasOwnCertificate)
            owners[address] = peer
            let member = try VirtualMember(
                peer, on: server.handle, consentTimeout: consentTimeout, limits: limits,
                maximumIncoming: maximumIncoming, data: data,
                events: events)
            members.append(member)
            if connects { try member.connect() }
            return member
        }

        /// Closes a member's transport and forgets its peer.
        func remove(_ member: VirtualMember) {
            member.leave()
            members.removeAll { $0 === member }
            owners = owners.filter { $0.value !== member.peer }
        }

        func removeAll() {
            for member in members { member.leave() }
            members = []
            owners = [:]
        }

        /// Lets time pass.
        func run(for duration: MediaDuration) { run(until: clock.now + duration) }

        /// Lets time pass until `condition` holds.
        /// - Returns: whether it did within `limit`.
        @discardableResult
        func run(atMost limit: MediaDuration, until condition: () -> Bool) -> Bool {
            let end = clock.now + limit
            if clock.now < end { step(notBeyond: min(end, clock.now + quantum)) }
            while !condition() {
                guard clock.now < end else { return false }
                step(notBeyond: end)
            }
            return true
        }

        /// Runs until every member's DTLS is connected.
        @discardableResult
        func connectAll(within limit: MediaDuration = .seconds(5)) -> Bool {
            run(atMost: limit) { members.allSatisfy(\.peer.isConnected) }
        }

        /// Hands a datagram to the server in the next tick.
        func inject(_ bytes: [UInt8], from: IPAddressPort, shard: Int = 0) {
            inject(bytes, from: from, to: server.addresses[shard][0])
        }

        func inject(_ bytes: [UInt8], from: IPAddressPort, to: IPAddressPort) {
            injected.append(VirtualDatagram(bytes: bytes, from: from, to: to))
        }

        /// Keeps what is sent to an address that is no peer's.
        func listen(on address: IPAddressPort) { mailboxes[address] = [] }

        /// What came to a listening address since the last call.
        func takeMail(of address: IPAddressPort) -> [[UInt8]] {
            defer { mailboxes[address] = [] }
            return mailboxes[address] ?? []
        }
        private var mailboxes: [IPAddressPort: [[UInt8]]] = [:]
        private var injected: [VirtualDatagram] = []

        private func run(until end: MediaInstant) {
            // Commands given meanwhile are carried out at once.
            step(notBeyond: min(end, clock.now + quantum))
            while clock.now < end { step(notBeyond: end) }
        }

        /// Goes to the next moment at which something happens, and does it.
        private func step(notBeyond end: MediaInstant) {
            var next = earliest(network.nextArrival, server.nextDeadline)
            for member in members { next = earliest(next, member.peer.nextDeadline) }
            // Commands given between steps are carried out now.
            let target = max(next ?? end, clock.now + quantum)
            clock.advance(to: min(target, end))
            WallClock.set(clock.now)
            defer { WallClock.set(nil) }
            var toServer = injected
            injected = []
            while let datagram = network.receive(at: clock.now) {
                if server.owns(datagram.to) {
                    toServer.append(datagram)
                } else if mailboxes[datagram.to] != nil {
                    mailboxes[datagram.to]?.append(datagram.bytes)
                } else if let peer = owners[datagram.to] {
                    var bytes = datagram.bytes
                    bytes.withUnsafeMutableBytes {
                        peer.datagramReceived($0, on: datagram.to, at: clock.now, wallClock: clock.wallClock)
                    }
                }
            }
            for datagram in server.tick(toServer, at: clock.now) { network.send(datagram, at: clock.now) }
            for member in members {
                member.peer.advance(to: clock.now, wallClock: clock.wallClock)
                for datagram in member.peer.takeOutbox() { network.send(datagram, at: clock.now) }
            }
        }
    }
#endif
