import Testing

@testable import RoundhouseMedia

/// An agent with a client's view of it: sends checks, keeps the last answer, collects events.
struct ICEScript {
    static let credentials = ICECredentials(usernameFragment: "serverfragment", password: "serverpassword1234567890")
    static let restarted = ICECredentials(usernameFragment: "secondfragment", password: "secondpassword1234567890")
    static let remote = IPAddressPort(ipv4: 0xC000_0201, port: 4242)

    var agent: ICELiteAgent
    var now = MediaInstant(nanoseconds: 1_000_000_000_000)
    /// The bytes of the last answer; empty if there was none.
    var reply: [UInt8] = []

    init(consentTimeout: MediaDuration = .seconds(30)) {
        agent = ICELiteAgent(credentials: Self.credentials, consentTimeout: consentTimeout)
    }

    /// What a client says in its check; everything right unless changed.
    struct Check {
        var credentials = ICEScript.credentials
        var username: String?
        var hasUseCandidate = false
        var nomination: UInt32?
        var hasUsername = true
        var hasPriority = true
        var hasIntegrity = true
        var hasFingerprint = true
        var isControlled = false
        var unknownAttribute: UInt16?
        var messageClass = STUNClass.request
        var method = STUNMessage.bindingMethod

        var bytes: [UInt8] {
            get throws {
                try WireSamples.written { (writer) throws(WireError) in
                    var message = try STUNMessageWriter(
                        writer, class: messageClass, method: method,
                        transactionID: STUNTransactionID(high: 0x0102_0304_0506_0708, low: 0x090A_0B0C))
                    if hasUsername {
                        try message.append(.username, text: username ?? credentials.usernameFragment + ":client")
                    }
                    try message.append(isControlled ? .iceControlled : .iceControlling, uint64: 5)
                    if hasPriority { try message.append(.priority, uint32: 1) }
                    if hasUseCandidate { try message.appendFlag(.useCandidate) }
                    if let nomination { try message.append(.nomination, uint32: nomination) }
                    if let unknownAttribute {
                        try message.appendFlag(STUNAttributeType(rawValue: unknownAttribute))
                    }
                    if hasIntegrity { try message.appendMessageIntegrity(HMACSHA1Key(password: credentials.password)) }
                    if hasFingerprint { try message.appendFingerprint() }
                    writer = message.finish()
                }
            }
        }
    }

    @discardableResult
    mutating func send(
        on tuple: UInt64 = 1, capacity: Int = 256, from remote: IPAddressPort = remote,
        _ change: (inout Check) -> Void = { _ in }
    ) throws -> BindingRequestAction {
        var check = Check()
        change(&check)
        let bytes = try check.bytes
        var action: BindingRequestAction?
        reply = try WireSamples.written(capacity: capacity) { (writer) throws(WireError) in
            action = bytes.withUnsafeBytes { buffer in
                agent.bindingRequestReceived(buffer, on: TupleID(tuple), from: remote, at: now, reply: &writer)
            }
        }
        return try #require(action)
    }

    mutating func events() -> [ICEEvent] {
        var events: [ICEEvent] = []
        while let event = agent.pollEvent() { events.append(event) }
        return events
    }

    mutating func wait(_ duration: MediaDuration) {
        now = now + duration
        if let deadline = agent.nextDeadline, deadline <= now { agent.deadlineReached(now) }
    }

    mutating func mediaReceived(on tuple: UInt64) -> Bool { agent.mediaReceived(on: TupleID(tuple), at: now) }
    mutating func feedbackReceived(on tuple: UInt64) -> Bool { agent.feedbackReceived(on: TupleID(tuple), at: now) }
    mutating func handshakeReceived(on tuple: UInt64) -> Bool { agent.handshakeReceived(on: TupleID(tuple), at: now) }
    mutating func remove(_ tuple: UInt64) { agent.tupleRemoved(TupleID(tuple), at: now) }

    func withReply(_ body: (STUNMessage) throws -> Void) throws {
        try reply.withUnsafeBytes { try body(try STUNMessage(parsing: $0)) }
    }
}

private func selected(_ tuple: UInt64?) -> ICEEvent { .selectedTupleChanged(tuple.map(TupleID.init)) }
private func dropped(_ tuple: UInt64) -> ICEEvent { .tupleDropped(TupleID(tuple)) }

@Suite("ICE-lite agent: checks")
struct ICELiteAgentCheckTests {
    private let key = HMACSHA1Key(password: ICEScript.credentials.password)

    @Test(
        arguments: [ICEScript.remote, IPAddressPort(ipv6High: 0x2001_0DB8_0000_0000, low: 7, port: 1)])
    func `a valid check is answered with the client's address`(remote: IPAddressPort) throws {
        var script = ICEScript()
        #expect(try script.send(from: remote) == .succeeded)
        try script.withReply { message in
            #expect(message.messageClass == .success && message.method == STUNMessage.bindingMethod)
            #expect(message.transactionID == STUNTransactionID(high: 0x0102_0304_0506_0708, low: 0x090A_0B0C))
            #expect(message.xorMappedAddress == remote)
            #expect(message.isAuthenticated(by: key) && message.hasFingerprint)
        }
    }

    @Test func `a check without a priority is answered, and noted`() throws {
        var script = ICEScript()
        #expect(try script.send { $0.hasPriority = false } == .succeededWithoutPriority)
        #expect(script.events() == [selected(1), .stateChanged(.connected)])
        try script.withReply { #expect($0.messageClass == .success) }
    }

    @Test func `each broken check gets its error code, and changes nothing`() throws {
        let changes: [(UInt16, (inout ICEScript.Check) -> Void)] = [
            (400, { $0.method = 3 }),
            (400, { $0.hasFingerprint = false }),
            (400, { $0.hasIntegrity = false }),
            (400, { $0.hasUsername = false }),
            (401, { $0.credentials.password = "a wrong password" }),
            (401, { $0.username = "another:client" }),
            (401, { $0.username = "serverfragment" }),
            (401, { $0.username = "serverfragmentx:client" }),
            (401, { $0.username = "" }),
            (420, { $0.unknownAttribute = 0x0077 }),
            (487, { $0.isControlled = true }),
        ]
        for (index, (code, change)) in changes.enumerated() {
            var script = ICEScript()
            #expect(try script.send(change) == .rejected(code: code), "change \(index)")
            try script.withReply { message in
                #expect(message.messageClass == .error && message.errorCode == code && message.hasFingerprint)
                // RFC 8489 §9.1.3: an answer to an unauthenticated request is not authenticated either.
                #expect(message.isAuthenticated(by: key) == (code == 420 || code == 487))
            }
            #expect(script.agent.state == .new && script.events().isEmpty && script.agent.tuples.isEmpty)
        }
    }

    @Test func `the answer to an unknown attribute names it`() throws {
        var script = ICEScript()
        try script.send { $0.unknownAttribute = 0x0077 }
        let named = script.reply.withUnsafeBytes { buffer -> [UInt8]? in
            var attributes = STUNAttributeIterator(buffer)
            while let attribute = (try? attributes.next()) ?? nil {
                if attribute.type == .unknownAttributes { return Array(attribute.value) }
            }
            return nil
        }
        #expect(named == [0x00, 0x77])
    }

    @Test func `an unknown attribute that may be ignored is ignored`() throws {
        var script = ICEScript()
        #expect(try script.send { $0.unknownAttribute = 0xC057 } == .succeeded)
    }

    @Test func `indications, responses, damaged messages and a full writer get no answer`() throws {
        var script = ICEScript()
        for messageClass in [STUNClass.indication, .success, .error] {
            #expect(try script.send { $0.messageClass = messageClass } == .ignored(.notARequest))
        }
        #expect(try script.send(capacity: 40) == .ignored(.noSpace))
        #expect(script.reply.isEmpty && script.agent.state == .new)
        [UInt8](repeating: 0, count: 20).withUnsafeBytes { buffer in
            var writer = ByteWriter(UnsafeMutableRawBufferPointer(start: nil, count: 0))
            let action = script.agent.bindingRequestReceived(
                buffer, on: TupleID(1), from: ICEScript.remote, at: script.now, reply: &writer)
            #expect(action == .ignored(.malformed(.unexpectedType)))
        }
        script.agent.close()
        #expect(try script.send() == .ignored(.closed))
    }

    @Test func `the local part of the username is found without authentication`() throws {
        func fragment(_ change: (inout ICEScript.Check) -> Void) throws -> String? {
            var check = ICEScript.Check()
            change(&check)
            return try check.bytes.withUnsafeBytes { buffer in
                ICELiteAgent.localUsernameFragment(of: buffer).map { String(decoding: $0, as: UTF8.self) }
            }
        }
        #expect(try fragment { _ in } == "serverfragment")
        #expect(try fragment { $0.username = "a:b:c" } == "a")
        #expect(try fragment { $0.username = ":b" } == "")
        #expect(try fragment { $0.username = "nocolon" } == nil)
        #expect(try fragment { $0.hasUsername = false } == nil)
        #expect(try fragment { $0.messageClass = .indication } == nil)
        let bytes = try ICEScript.Check().bytes
        WireSamples.forEachTruncation(of: Array(bytes[..<40])) { _ = ICELiteAgent.localUsernameFragment(of: $0) }
    }

    @Test func `damaged checks never trap, and never count as valid`() throws {
        var script = ICEScript()
        let valid = try ICEScript.Check().bytes
        let reply = UnsafeMutableRawBufferPointer.allocate(byteCount: 256, alignment: 1)
        defer { reply.deallocate() }
        WireSamples.fuzz([valid], iterations: 5000) { buffer in
            // Some are as they were.
            if !buffer.elementsEqual(valid) {
                var writer = ByteWriter(reply)
                let action = script.agent.bindingRequestReceived(
                    buffer, on: TupleID(1), from: ICEScript.remote, at: script.now, reply: &writer)
                if action == .succeeded { Issue.record("a damaged check was accepted") }
            }
        }
        #expect(script.agent.state == .new)
    }
}

@Suite("ICE-lite agent: states and tuples")
struct ICELiteAgentStateTests {
    @Test func `a check connects, a nominating one completes`() throws {
        var script = ICEScript()
        #expect(script.agent.state == .new && script.agent.selected == nil && script.agent.nextDeadline == nil)
        try script.send()
        #expect(script.agent.state == .connected)
        #expect(script.events() == [selected(1), .stateChanged(.connected)])
        try script.send()
        #expect(script.events().isEmpty)
        try script.send { $0.hasUseCandidate = true }
        #expect(script.agent.state == .completed)
        #expect(script.events() == [.stateChanged(.completed)])
        try script.send()
        #expect(script.agent.state == .completed, "a plain check does not go back")
    }

    @Test func `a first check that nominates completes at once`() throws {
        var script = ICEScript()
        try script.send { $0.hasUseCandidate = true }
        #expect(script.events() == [selected(1), .stateChanged(.completed)])
        script = ICEScript()
        try script.send { $0.nomination = 1 }
        #expect(script.events() == [selected(1), .stateChanged(.completed)])
    }

    @Test func `a plain check on another tuple stores it; a nominating one selects it`() throws {
        var script = ICEScript()
        try script.send(on: 1)
        try script.send(on: 2)
        #expect(script.agent.selected == TupleID(1) && script.agent.hasTuple(TupleID(2)))
        #expect(!script.agent.hasTuple(TupleID(3)))
        try script.send(on: 2) { $0.hasUseCandidate = true }
        #expect(script.agent.selected == TupleID(2))
        try script.send(on: 1) { $0.hasUseCandidate = true }
        #expect(
            script.events() == [
                selected(1), .stateChanged(.connected), selected(2), .stateChanged(.completed), selected(1),
            ])
    }

    @Test func `media selects a stored tuple, and an unknown one not`() throws {
        var script = ICEScript()
        #expect(script.mediaReceived(on: 1) == false)
        #expect(script.handshakeReceived(on: 1) == false)
        try script.send(on: 1) { $0.hasUseCandidate = true }
        try script.send(on: 2)
        _ = script.events()
        #expect(script.mediaReceived(on: 1) == false)
        #expect(script.events().isEmpty)
        #expect(script.mediaReceived(on: 2) == true)
        #expect(script.mediaReceived(on: 3) == false)
        #expect(script.events() == [selected(2)])
        #expect(script.handshakeReceived(on: 3) == false)
        #expect(script.handshakeReceived(on: 1) == true)
        #expect(script.events() == [selected(1)])
        #expect(script.agent.state == .completed)
    }

    @Test func `media before nomination selects, and the state stays connected`() throws {
        var script = ICEScript()
        try script.send(on: 1)
        try script.send(on: 2)
        #expect(script.mediaReceived(on: 2) == true)
        #expect(script.agent.selected == TupleID(2) && script.agent.state == .connected)
    }

    @Test func `only a greater nomination than the last is accepted, until restart or disconnection`() throws {
        var script = ICEScript()
        try script.send(on: 1) { $0.nomination = 5 }
        for (tuple, nomination, expected) in [(2, 5, 1), (2, 4, 1), (2, 6, 2), (1, 6, 2), (1, 7, 1)]
            as [(UInt64, UInt32, UInt64)]
        {
            try script.send(on: tuple) {
                $0.nomination = nomination
                $0.hasUseCandidate = true
            }
            #expect(script.agent.selected == TupleID(expected), "nomination \(nomination) on \(tuple)")
        }
        script.agent.restart(credentials: ICEScript.restarted, at: script.now)
        try script.send(on: 2) { $0.nomination = 1 }
        #expect(script.agent.selected == TupleID(2), "a restart forgets the number")
        script.remove(1)
        script.remove(2)
        try script.send(on: 3) { $0.nomination = 1 }
        #expect(script.agent.state == .completed && script.agent.selected == TupleID(3))
    }

    @Test func `the ninth tuple drops the oldest that is not selected`() throws {
        var script = ICEScript()
        for tuple in UInt64(1)...8 { try script.send(on: tuple) }
        _ = script.events()
        try script.send(on: 9)
        #expect(script.events() == [dropped(2)], "1 is older, but selected")
        #expect(script.agent.tuples.map(\.rawValue) == [9, 8, 7, 6, 5, 4, 3, 1])
        try script.send(on: 10) { $0.hasUseCandidate = true }
        #expect(script.events() == [dropped(3), selected(10), .stateChanged(.completed)])
        try script.send(on: 11)
        #expect(script.events() == [dropped(1)])
        #expect(script.agent.tuples.count == 8)
    }

    @Test func `the newest tuple takes over from a closed one; after the last, the client has time to return`() throws {
        var script = ICEScript()
        for tuple in UInt64(1)...3 { try script.send(on: tuple) }
        _ = script.events()
        script.remove(2)
        script.remove(99)
        #expect(script.events().isEmpty)
        script.remove(1)
        #expect(script.events() == [selected(3)])
        script.wait(.seconds(10))
        script.remove(3)
        #expect(script.events() == [selected(nil)])
        #expect(script.agent.state == .connected && script.agent.nextDeadline == script.now + .seconds(20))
        #expect(!script.mediaReceived(on: 3) && !script.feedbackReceived(on: 3))
        script.wait(.seconds(19))
        try script.send(on: 4)
        #expect(script.events() == [selected(4)])
        script.remove(4)
        script.wait(.seconds(30))
        #expect(script.events() == [selected(nil), .stateChanged(.disconnected)])
        #expect(script.agent.nextDeadline == nil)
        try script.send(on: 5)
        #expect(script.events() == [selected(5), .stateChanged(.connected)])
    }

    @Test func `closing drops every tuple, once`() throws {
        var script = ICEScript()
        try script.send(on: 1)
        try script.send(on: 2)
        _ = script.events()
        script.agent.close()
        script.agent.close()
        #expect(script.events() == [dropped(2), dropped(1), selected(nil), .stateChanged(.closed)])
        script.agent.restart(credentials: ICEScript.restarted, at: script.now)
        #expect(script.agent.state == .closed && script.events().isEmpty)
        var fresh = ICEScript()
        fresh.agent.close()
        #expect(fresh.events() == [.stateChanged(.closed)])
    }
}

@Suite("ICE-lite agent: consent and restart")
struct ICELiteAgentConsentTests {
    @Test func `without a check for the timeout every tuple is dropped`() throws {
        var script = ICEScript()
        try script.send(on: 1) { $0.hasUseCandidate = true }
        try script.send(on: 2)
        _ = script.events()
        script.wait(.milliseconds(29_999))
        #expect(script.agent.state == .completed)
        script.wait(.milliseconds(1))
        #expect(script.events() == [dropped(2), dropped(1), selected(nil), .stateChanged(.disconnected)])
        #expect(script.agent.nextDeadline == nil)
        try script.send(on: 1)
        #expect(script.agent.state == .connected, "a new check begins again")
    }

    @Test func `valid checks and authenticated packets restart the timeout; refused checks and DTLS do not`() throws {
        var script = ICEScript()
        try script.send()
        script.wait(.seconds(20))
        try script.send()
        script.wait(.seconds(20))
        #expect(script.agent.state == .connected)
        #expect(script.mediaReceived(on: 1) == false)
        script.wait(.seconds(29))
        #expect(script.feedbackReceived(on: 1) == false)
        script.wait(.seconds(29))
        #expect(script.agent.state == .connected)
        try script.send { $0.credentials.password = "a wrong password" }
        #expect(script.handshakeReceived(on: 1) == true)
        script.wait(.seconds(1))
        #expect(script.agent.state == .disconnected)
    }

    @Test func `a tuple with traffic replaces a selected one that is silent, nominated or not`() throws {
        for hears in [
            { (script: inout ICEScript) in try script.send(on: 2) },
            { (script: inout ICEScript) in _ = script.feedbackReceived(on: 2) },
        ] as [(inout ICEScript) throws -> Void] {
            var script = ICEScript()
            try script.send(on: 1) { $0.hasUseCandidate = true }
            script.wait(.seconds(2))
            try script.send(on: 1) { $0.hasUseCandidate = true }
            try script.send(on: 2)
            _ = script.events()
            // Twice the client's interval of two seconds.
            for _ in 0..<3 {
                script.wait(.seconds(1))
                try hears(&script)
            }
            #expect(script.events().isEmpty)
            script.wait(.seconds(1))
            try hears(&script)
            #expect(script.events() == [selected(2), .pathRecovered])
            // And back, by the same rule, or at once by media or nomination.
            #expect(script.mediaReceived(on: 1) == true)
            #expect(script.events() == [selected(1)])
        }
    }

    @Test func `after a restart a tuple with checks replaces one on which nothing has come since`() throws {
        var script = ICEScript()
        try script.send(on: 1) { $0.hasUseCandidate = true }
        script.wait(.seconds(1))
        _ = script.mediaReceived(on: 1)
        script.wait(.milliseconds(100))
        script.agent.restart(credentials: ICEScript.restarted, at: script.now)
        _ = script.events()
        // The old path lives: the client decides.
        script.wait(.milliseconds(50))
        _ = script.mediaReceived(on: 1)
        script.wait(.seconds(1))
        try script.send(on: 2) { $0.credentials = ICEScript.restarted }
        #expect(script.agent.selected == TupleID(1))
        // It is the one that is gone.
        script.agent.restart(credentials: ICEScript.restarted, at: script.now + .milliseconds(1))
        script.wait(.milliseconds(249))
        _ = script.mediaReceived(on: 1)
        script.agent.restart(credentials: ICEScript.restarted, at: script.now + .milliseconds(1))
        script.wait(.milliseconds(249))
        try script.send(on: 2) { $0.credentials = ICEScript.restarted }
        #expect(script.agent.selected == TupleID(1))
        _ = script.events()
        // The next check may be seconds away.
        script.wait(.milliseconds(1))
        #expect(script.events() == [selected(2), .pathRecovered])
        // From now on silence is what it always is.
        script.wait(.seconds(2))
        try script.send(on: 1) { $0.credentials = ICEScript.restarted }
        #expect(script.events().isEmpty)
    }

    @Test(
        arguments: [(0, 3), (1, 3), (2, 4), (9, 5)])
    func `silence is two check intervals, at least 3 and at most 5 seconds`(interval: Int, silence: Int) throws {
        var script = ICEScript()
        try script.send(on: 1) { $0.hasUseCandidate = true }
        script.wait(.seconds(interval))
        if interval > 0 { try script.send(on: 1) { $0.hasUseCandidate = true } }
        try script.send(on: 2)
        _ = script.events()
        script.wait(.milliseconds(silence * 1000 - 1))
        try script.send(on: 2)
        #expect(script.events().isEmpty)
        script.wait(.milliseconds(1))
        try script.send(on: 2)
        #expect(script.events() == [selected(2), .pathRecovered])
    }

    @Test func `of a full list the tuple that has been silent for longest goes`() throws {
        var script = ICEScript()
        for tuple in UInt64(1)...8 { try script.send(on: tuple) }
        script.wait(.seconds(1))
        for tuple in [2, 3, 4, 5, 7, 8] as [UInt64] { try script.send(on: tuple) }
        _ = script.events()
        try script.send(on: 9)
        #expect(script.events() == [dropped(6)])
    }

    @Test(
        arguments: [(1, 10), (10, 10), (30, 30), (60, 60), (3600, 60), (0, nil), (-1, nil)] as [(Int, Int?)])
    func `the timeout is brought into 10…60 s; zero disables it`(given: Int, kept: Int?) throws {
        var script = ICEScript(consentTimeout: .seconds(given))
        try script.send()
        #expect(script.agent.nextDeadline == kept.map { script.now + .seconds($0) })
        script.agent.restart(credentials: ICEScript.restarted, at: script.now + .seconds(5))
        #expect(script.agent.nextDeadline == kept.map { script.now + .seconds($0 + 5) })
    }

    @Test func `a deadline that was put off is not reached by an old timer`() throws {
        var script = ICEScript()
        try script.send()
        script.agent.deadlineReached(script.now + .seconds(29))
        #expect(script.agent.state == .connected)
    }

    @Test func `after a restart both credentials work, until the first check with the new ones`() throws {
        var script = ICEScript()
        try script.send { $0.hasUseCandidate = true }
        _ = script.events()
        script.agent.restart(credentials: ICEScript.restarted, at: script.now)
        #expect(script.agent.state == .completed && script.events().isEmpty)
        #expect(try script.send() == .succeeded)
        try script.withReply { message in
            #expect(message.isAuthenticated(by: HMACSHA1Key(password: ICEScript.credentials.password)))
        }
        #expect(try script.send(on: 2) { $0.credentials = ICEScript.restarted } == .succeeded)
        try script.withReply { message in
            #expect(message.isAuthenticated(by: HMACSHA1Key(password: ICEScript.restarted.password)))
        }
        #expect(script.events() == [.usernameFragmentRetired("serverfragment")])
        #expect(try script.send() == .rejected(code: 401))
        #expect(script.agent.hasTuple(TupleID(1)), "tuples stay")
    }

    @Test func `a refused check with the new credentials does not retire the old ones`() throws {
        var script = ICEScript()
        script.agent.restart(credentials: ICEScript.restarted, at: script.now)
        try script.send {
            $0.credentials = ICEScript.restarted
            $0.isControlled = true
        }
        #expect(script.events().isEmpty)
        #expect(try script.send() == .succeeded)
    }

    @Test func `a second restart retires the oldest credentials at once`() throws {
        var script = ICEScript()
        script.agent.restart(credentials: ICEScript.restarted, at: script.now)
        let third = ICECredentials(usernameFragment: "third", password: "thirdpassword1234567890")
        script.agent.restart(credentials: third, at: script.now)
        #expect(script.events() == [.usernameFragmentRetired("serverfragment")])
        #expect(try script.send() == .rejected(code: 401))
        #expect(try script.send { $0.credentials = ICEScript.restarted } == .succeeded)
        #expect(try script.send { $0.credentials = third } == .succeeded)
    }
}
