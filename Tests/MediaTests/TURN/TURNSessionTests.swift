import Testing

@testable import RoundhouseMedia

@Suite("The TURN server")
struct TURNSessionTests {
    private typealias Method = TURNMessage.Method

    @Test func `a client allocates, permits, sends, binds a channel, refreshes and leaves`() throws {
        var (server, client) = (TURNClient.server(), TURNClient())
        let first = client.allocate(&server, lifetime: 1200)
        let allocated = try #require(first)
        #expect(allocated.isSuccess && allocated.lifetime == 1200 && allocated.text(0x8022) == "Roundhouse")
        // Its answers are protected by its credentials.
        let key = TURNCredential.key(username: client.username, realm: TURNServer.realm, password: client.password)
        try allocated.bytes.withUnsafeBytes { bytes in
            let message = try STUNMessage(parsing: bytes)
            #expect(message.isAuthenticated(by: key) && message.xorMappedAddress == client.address)
        }
        let relayed = try #require(client.session.relayed)
        #expect(relayed.withPort(0) == TURNClient.media.withPort(0) && TURNLimits.relayedPorts.contains(relayed.port))
        #expect(client.session.holder == "peer" && server.allocationCount == 1)
        // Nothing without a permission; then to every port of the address that is ours.
        #expect(client.send([1, 2, 3], to: TURNClient.media, &server) == .nothing)
        #expect(client.permit([TURNClient.media.withPort(9)], &server)?.isSuccess == true)
        for (peer, shard) in [(TURNClient.media, 0), (TURNClient.otherMedia, 1)] {
            let bytes = client.indication(to: peer, [1, 2, 3])
            guard case .relay(peer, shard, let range) = client.session.received(bytes, at: client.time, &server) else {
                Issue.record("not relayed to \(peer)")
                continue
            }
            #expect(Array(bytes[range]) == [1, 2, 3])
        }
        #expect(client.send([1], to: TURNClient.media.withPort(41_000), &server) == .nothing)
        // What comes back is an indication, until there is a channel.
        let envelope = client.session.envelope(of: 5, from: TURNClient.media, isStream: true, at: client.time.now)
        let indication = try #require(envelope)
        let read = try #require(
            TURNClient.read(indication.header + [5, 5, 5, 5, 5] + [UInt8](repeating: 0, count: indication.padding)))
        #expect(read.message == STUNMessage.Kind(messageClass: .indication, method: Method.data))
        #expect(read.attributes[0x0013] == [5, 5, 5, 5, 5])
        #expect(client.bind(0x4000, to: TURNClient.media, &server)?.isSuccess == true)
        let frame = client.session.envelope(of: 5, from: TURNClient.media, isStream: true, at: client.time.now)
        #expect(frame?.header == [0x40, 0, 0, 5] && frame?.padding == 3)
        let datagram = client.session.envelope(of: 5, from: TURNClient.media, isStream: false, at: client.time.now)
        #expect(datagram?.padding == 0)
        let target = try #require(client.session.received(channel: 0x4000, at: client.time.now))
        #expect(target.peer == TURNClient.media && target.shard == 0)
        #expect(client.session.received(channel: 0x4001, at: client.time.now) == nil)
        // Without being renewed, permissions end after five minutes and channels after ten.
        client.wait(301)
        #expect(client.session.received(channel: 0x4000, at: client.time.now) == nil)
        #expect(client.session.envelope(of: 5, from: TURNClient.media, isStream: true, at: client.time.now) == nil)
        #expect(client.permit([TURNClient.media], &server)?.isSuccess == true)
        #expect(client.session.received(channel: 0x4000, at: client.time.now) != nil)
        client.wait(299)
        #expect(client.session.received(channel: 0x4000, at: client.time.now) == nil)
        #expect(client.refresh(&server, lifetime: 99_999)?.lifetime == 3600)
        #expect(client.refresh(&server, lifetime: 1)?.lifetime == 600)
        #expect(client.refresh(&server, lifetime: 0)?.lifetime == 0)
        #expect(server.allocationCount == 0 && client.session.relayed == nil)
        #expect(client.refresh(&server, lifetime: 0)?.code == 437)
        #expect(client.permit([TURNClient.media], &server)?.code == 437)
        #expect(client.bind(0x4000, to: TURNClient.media, &server)?.code == 437)
    }

    @Test func `whoever shows no credentials is asked for them, and wrong ones are refused`() throws {
        var (server, client) = (TURNClient.server(), TURNClient())
        for method in [Method.allocate, Method.refresh, Method.createPermission, Method.channelBind] {
            let answer = client.exchange(client.message(method, isAuthenticated: false), &server)
            #expect(answer?.code == 401 && answer?.text(0x0014) == "roundhouse" && answer?.text(0x0015) != nil)
        }
        let password = client.password
        client.password = "guess"
        #expect(client.allocate(&server)?.code == 401)
        client.password = password
        let username = client.username
        for forged in ["peer", "9999999999:peer", "x:y", "1800000060:" + String(repeating: "a", count: 300)] {
            client.username = forged
            #expect(client.allocate(&server)?.code == 401, "\(forged)")
        }
        client.username = username
        #expect(server.value(.credentialsRefused) == 5 && server.allocationCount == 0)
        // A nonce of elsewhere, or of long ago.
        let nonce = client.nonce
        client.nonce = "1-2"
        let stale = client.allocate(&server)
        #expect(stale?.code == 438 && stale?.text(0x0014) == "roundhouse")
        client.nonce = nonce
        #expect(client.allocate(&server)?.isSuccess == true)
        // Integrity without what belongs to it.
        let bare = client.message(Method.refresh, isAuthenticated: false) { message throws(WireError) in
            try message.appendMessageIntegrity(HMACSHA1Key(password: "x"))
        }
        #expect(client.exchange(bare, &server)?.code == 400)
    }

    @Test func `credentials of the former secret are good, and of none before`() {
        var server = TURNClient.server(secrets: [Secret("new"), TURNClient.secret])
        var client = TURNClient()
        #expect(client.allocate(&server)?.isSuccess == true)
        #expect(client.refresh(&server, lifetime: 0)?.isSuccess == true)
        let made = server.credential(for: "peer", at: client.time.unix)
        (client.username, client.password) = (made.username, made.password.revealed)
        #expect(client.allocate(&server)?.isSuccess == true)
        server.secrets = [Secret("newer"), Secret("new")]
        var late = TURNClient(port: 5001)
        #expect(late.allocate(&server)?.code == 401)
        #expect(client.refresh(&server, lifetime: 600)?.isSuccess == true)
    }

    @Test func `credentials that are over keep an allocation and make none`() {
        var (server, client) = (TURNClient.server(), TURNClient())
        #expect(client.allocate(&server)?.isSuccess == true)
        client.wait(61)
        #expect(client.refresh(&server, lifetime: 600)?.isSuccess == true)
        #expect(client.permit([TURNClient.media], &server)?.isSuccess == true)
        #expect(client.refresh(&server, lifetime: 0)?.isSuccess == true)
        #expect(client.allocate(&server)?.code == 401)
    }

    @Test func `requests for what there is not are refused by the RFC's codes`() throws {
        var (server, client) = (TURNClient.server(), TURNClient())
        #expect(client.request(Method.allocate, &server)?.code == 400)
        func allocation(_ body: @escaping TURNClient.Body) -> TURNClient.Body {
            { message throws(WireError) in
                try message.append(.requestedTransport, uint32: 17 << 24)
                try body(&message)
            }
        }
        let tcp: TURNClient.Body = { message throws(WireError) in
            try message.append(.requestedTransport, uint32: 6 << 24)
        }
        #expect(client.request(Method.allocate, &server, tcp)?.code == 442)
        let evenPort = allocation { message throws(WireError) in try message.append(.evenPort, uint32: 0x80 << 24) }
        #expect(client.request(Method.allocate, &server, evenPort)?.code == 508)
        var even = TURNClient(port: 5002)
        for _ in 0..<2 {
            let zero = allocation { message throws(WireError) in try message.append(.evenPort, uint32: 0) }
            #expect(even.request(Method.allocate, &server, zero)?.isSuccess == true)
            #expect((even.session.relayed?.port ?? 1) % 2 == 0)
            #expect(even.refresh(&server, lifetime: 0)?.isSuccess == true)
        }
        let fragment = allocation { message throws(WireError) in
            try message.appendFlag(STUNAttributeType(rawValue: 0x001A))
        }
        let unknown = client.request(Method.allocate, &server, fragment)
        #expect(unknown?.code == 420 && unknown?.attributes[0x000A] == [0, 0x1A])
        func family(_ number: UInt32) -> TURNClient.Body {
            allocation { message throws(WireError) in
                try message.append(.requestedAddressFamily, uint32: number << 24)
            }
        }
        #expect(client.request(Method.allocate, &server, family(7))?.code == 440)
        let both = allocation { message throws(WireError) in
            try message.append(.requestedAddressFamily, uint32: 1 << 24)
            try message.append(.additionalAddressFamily, uint32: 2 << 24)
        }
        #expect(client.request(Method.allocate, &server, both)?.code == 400)
        var bare = TURNServer(secrets: [TURNClient.secret], nonceKey: "nonces", seed: 0)
        #expect(client.allocate(&bare)?.code == 440)
        #expect(client.request(Method.allocate, &server, family(2))?.isSuccess == true)
        #expect(client.session.relayed?.family == .ipv6)
        #expect(client.permit([TURNClient.media], &server)?.code == 443)
        #expect(client.permit([TURNClient.mediaIPv6], &server)?.isSuccess == true)
        #expect(client.request(Method.refresh, &server, family(1))?.code == 443)
        #expect(client.exchange(client.message(0x000A), &server)?.code == 400)
        #expect(
            client.exchange(client.message(STUNMessage.bindingMethod, isAuthenticated: false), &server)?.isSuccess
                == true)
    }

    @Test func `an allocation belongs to its user, and the same request gets the same answer`() {
        var (server, client) = (TURNClient.server(), TURNClient())
        _ = client.allocate(&server)
        let relayed = client.session.relayed
        #expect(client.allocate(&server)?.code == 437)
        let again = client.message(Method.allocate, transaction: 2) { message throws(WireError) in
            try message.append(.requestedTransport, uint32: 17 << 24)
        }
        #expect(client.exchange(again, &server)?.isSuccess == true && client.session.relayed == relayed)
        let other = TURNCredential(holder: "other", expiry: client.time.unix + 60, secret: TURNClient.secret)
        (client.username, client.password) = (other.username, other.password.revealed)
        #expect(client.refresh(&server, lifetime: 0)?.code == 441)
        #expect(client.permit([TURNClient.media], &server)?.code == 441)
        #expect(server.allocationCount == 1)
    }

    /// Every spelling of an address that is not the server's media.
    @Test func `no other address is reached, however it is spelled`() {
        var (server, client) = (TURNClient.server(), TURNClient())
        _ = client.allocate(&server)
        func mapped(_ address: UInt32, _ port: UInt16) -> IPAddressPort {
            IPAddressPort(ipv6High: 0, low: 0xFFFF_0000_0000 | UInt64(address), port: port)
        }
        let forbidden = [
            IPAddressPort(ipv4: 0x7F00_0001, port: 40_000), mapped(0x7F00_0001, 40_000),
            IPAddressPort(ipv4: 0, port: 40_000), mapped(0, 40_000), IPAddressPort(ipv4: 0x0A00_0002, port: 40_000),
            mapped(0x0A00_0002, 40_000), IPAddressPort(ipv4: 0xFFFF_FFFF, port: 40_000),
            IPAddressPort(ipv4: 0xE000_0001, port: 40_000), IPAddressPort(ipv4: 0xA9FE_A9FE, port: 80),
            IPAddressPort(ipv4: 0x0A00_0001 &- 1, port: 40_000),
        ]
        for peer in forbidden {
            #expect(client.permit([peer], &server)?.code == 403, "\(peer)")
            #expect(client.permit([TURNClient.media, peer], &server)?.code == 403, "\(peer)")
            #expect(client.bind(0x4000, to: peer, &server)?.code == 403, "\(peer)")
            #expect(client.send([1], to: peer, &server) == .nothing)
        }
        // All or nothing.
        #expect(client.send([1], to: TURNClient.media, &server) == .nothing)
        for peer in [
            IPAddressPort(ipv6High: 0, low: 1, port: 40_000), IPAddressPort(ipv6High: 0, low: 0, port: 40_000),
            IPAddressPort(ipv6High: 0x0064_FF9B_0000_0000, low: 0x0A00_0001, port: 40_000), TURNClient.mediaIPv6,
        ] {
            #expect(client.permit([peer], &server)?.code == 443, "\(peer)")
        }
        // The server's address and a port that is none of its media's.
        #expect(client.permit([TURNClient.media.withPort(22)], &server)?.isSuccess == true)
        for (index, port) in ([0, 1, 22, 80, 443, 39_999, 40_002, 65_535] as [UInt16]).enumerated() {
            let channel = 0x4000 + UInt16(index)
            #expect(client.bind(channel, to: TURNClient.media.withPort(port), &server)?.isSuccess == true)
            #expect(client.session.received(channel: channel, at: client.time.now) == nil)
            #expect(client.send([1], to: TURNClient.media.withPort(port), &server) == .nothing)
        }
        // An allocation's own address.
        let own = client.session.relayed.map { client.send([1], to: $0, &server) }
        #expect(own == .nothing)
        #expect(server.value(.peersRefused) >= 30 && server.value(.unpermitted) >= 18)
    }

    @Test func `channels are numbers and peers one to one`() {
        var (server, client) = (TURNClient.server(), TURNClient())
        _ = client.allocate(&server)
        for number in [0, 0x3FFF, 0x7FFF, 0x8000, 0xFFFF] as [UInt16] {
            #expect(client.bind(number, to: TURNClient.media, &server)?.code == 400)
        }
        #expect(client.bind(0x4FFF, to: TURNClient.media, &server)?.isSuccess == true)
        #expect(client.bind(0x4FFF, to: TURNClient.media, &server)?.isSuccess == true)
        #expect(client.bind(0x4000, to: TURNClient.media, &server)?.code == 400)
        #expect(client.bind(0x4FFF, to: TURNClient.otherMedia, &server)?.code == 400)
        #expect(client.bind(0x4000, to: TURNClient.otherMedia, &server)?.isSuccess == true)
        #expect(client.permit([], &server)?.code == 400)
        client.wait(601)
        #expect(client.refresh(&server, lifetime: 600)?.code == 437)
    }

    @Test func `what one user and all have is bounded`() {
        var server = TURNClient.server()
        var clients = (0..<13).map { TURNClient(port: UInt16(5000 + $0)) }
        for index in 0..<12 { #expect(clients[index].allocate(&server)?.isSuccess == true) }
        #expect(Set(clients.prefix(12).map { $0.session.relayed }).count == 12)
        #expect(clients[12].allocate(&server)?.code == 486)
        var other = TURNClient(port: 6000, holder: "other")
        #expect(other.allocate(&server)?.isSuccess == true)
        clients[0].session.release(clients[0].time.now, &server)
        #expect(clients[12].allocate(&server)?.isSuccess == true)
        #expect(server.allocationCount == 13 && server.value(.allocationsRefused) == 1)
        // All relayed ports.
        while (try? server.allocate(for: "user \(server.allocationCount)")) != nil {}
        var last = TURNClient(port: 6001, holder: "last")
        #expect(last.allocate(&server)?.code == 508)
        // Peers and channels, of a server with many addresses.
        var wide = TURNClient.server()
        for index in 0..<20 { wide.peers.insert(IPAddressPort(ipv4: 0x0B00_0000 + UInt32(index), port: 1), shard: 0) }
        var client = TURNClient()
        _ = client.allocate(&wide)
        let peers = (0..<20).map { IPAddressPort(ipv4: 0x0B00_0000 + UInt32($0), port: 1) }
        #expect(client.permit(Array(peers.prefix(17)), &wide)?.code == 508)
        #expect(client.permit(Array(peers.prefix(18)), &wide) == nil)
        for index in 0..<16 {
            #expect(client.bind(0x4000 + UInt16(index), to: peers[index], &wide)?.isSuccess == true)
        }
        #expect(client.bind(0x4010, to: peers[16], &wide)?.code == 508)
    }

    @Test func `a session without an allocation ends, and one whose time is over has none`() {
        var (server, client) = (TURNClient.server(), TURNClient())
        #expect(!client.session.deadlineReached(client.time.now + .seconds(9), &server))
        #expect(client.session.deadlineReached(client.time.now + .seconds(10), &server))
        _ = client.allocate(&server)
        #expect(client.session.nextDeadline == client.time.now + .seconds(600))
        client.wait(600)
        #expect(!client.session.deadlineReached(client.time.now, &server) && server.allocationCount == 0)
        #expect(client.session.deadlineReached(client.time.now + .seconds(10), &server))
    }

    @Test func `messages that are cut off, or have a byte changed, are answered with errors or not at all`() {
        var (server, client) = (TURNClient.server(), TURNClient())
        _ = client.allocate(&server)
        _ = client.permit([TURNClient.media], &server)
        let peer: TURNClient.Body = { message throws(WireError) in
            try message.append(.channelNumber, uint32: 0x4000 << 16)
            try message.appendXORAddress(.xorPeerAddress, TURNClient.media)
            try message.append(.lifetime, uint32: 0)
            try message.append(.requestedTransport, uint32: 17 << 24)
        }
        for method in [Method.allocate, Method.refresh, Method.createPermission, Method.channelBind] {
            let whole = client.message(method, peer)
            for length in whole.indices {
                #expect(client.session.received(Array(whole[..<length]), at: client.time, &server) == .nothing)
            }
            for index in whole.indices {
                var changed = whole
                changed[index] ^= 0x55
                if let answer = client.exchange(changed, &server) { #expect(!answer.isSuccess, "\(method) \(index)") }
            }
        }
        let send = client.indication(to: TURNClient.media, [1, 2, 3, 4])
        for length in send.indices {
            #expect(client.session.received(Array(send[..<length]), at: client.time, &server) == .nothing)
        }
        #expect(server.allocationCount == 1)
    }
}
