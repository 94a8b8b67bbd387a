import Testing

@testable import RoundhouseMedia

@Suite("ICE-lite agents written down and restored")
struct ICESnapshotTests {
    private static func credentials(_ generation: Int) -> ICECredentials {
        ICECredentials(usernameFragment: "fragment\(generation)", password: "password\(generation)_1234567890")
    }

    @Test(arguments: [0, 10]) func `an agent goes on through checks, nomination, silence, consent and restarts`(
        timeout: Int
    ) throws {
        let make = { ICELiteAgent(credentials: Self.credentials(0), consentTimeout: .seconds(timeout)) }
        try SnapshotScript(pace: .milliseconds(2500), make()) { agent, index, random, now in
            var script = ICEScript()
            script.agent = agent
            script.now = now
            var said = ""
            if let deadline = script.agent.nextDeadline, deadline <= now { script.agent.deadlineReached(now) }
            let tuple = UInt64(1 + random.below(11))
            let generation = index / 40
            if index % 40 == 39 { script.agent.restart(credentials: Self.credentials(generation + 1), at: now) }
            switch index % 100 {
            case 50:
                // Every path is lost.
                for tuple in script.agent.tuples { script.agent.tupleRemoved(tuple, at: now) }
            case 51..<54, 70..<80: break
            default:
                switch random.below(10) {
                case 0: said = "\(script.mediaReceived(on: tuple))"
                case 1: said = "\(script.feedbackReceived(on: tuple))"
                case 2: said = "\(script.handshakeReceived(on: tuple))"
                case 3 where random.isOne(in: 3): script.remove(tuple)
                default:
                    let isOld = random.isOne(in: 4)
                    let action = try script.send(on: tuple) {
                        $0.credentials = Self.credentials(max(generation - (isOld ? 1 : 0), 0))
                        $0.hasUseCandidate = random.isOne(in: 8)
                        if random.isOne(in: 12) { $0.nomination = UInt32(random.below(100)) }
                    }
                    said = "\(action) \(script.reply)"
                }
            }
            if index == 290 { script.agent.close() }
            said += " \(script.events()) \(script.agent.state) \(script.agent.selected, default: "")"
            agent = script.agent
            return said + " \(agent.tuples) \(agent.nextDeadline, default: "")"
        }.check()
    }

    /// An agent with two tuples, the older of which is selected, after a restart.
    private func agent() throws -> ICELiteAgent {
        var script = ICEScript()
        try script.send(on: 0x0102) { $0.hasUseCandidate = true }
        try script.send(on: 0x0304)
        script.agent.restart(credentials: ICEScript.restarted, at: script.now)
        _ = script.events()
        return script.agent
    }

    private func bytes(of agent: ICELiteAgent) -> [UInt8] {
        var writer = SnapshotWriter()
        agent.write(to: &writer)
        return writer.bytes
    }

    @Test func `an agent's bytes are those of this version`() throws {
        let bytes = bytes(of: try agent())
        let time = ICEScript().now
        var heard = SnapshotWriter()
        heard.write(time)
        var deadline = SnapshotWriter()
        deadline.write(time + .seconds(30))
        func credentials(_ credentials: ICECredentials) -> [UInt8] {
            var writer = SnapshotWriter()
            writer.writeText(credentials.usernameFragment)
            writer.write(HMACSHA1Key(password: credentials.password))
            #expect(writer.bytes.count == 2 + credentials.usernameFragment.utf8.count + 40)
            return writer.bytes
        }
        var timeout = SnapshotWriter()
        timeout.write(MediaDuration.seconds(30))
        let none = [UInt8](repeating: 0, count: 8)
        let newest: [UInt8] = [4, 3, 0, 0, 0, 0, 0, 0] + heard.bytes + heard.bytes + none
        let oldest: [UInt8] = [2, 1, 0, 0, 0, 0, 0, 0] + heard.bytes + heard.bytes + none
        #expect(
            bytes == [1] + credentials(ICEScript.restarted) + [1] + credentials(ICEScript.credentials) + [1]
                + timeout.bytes + [2] + [2, 0] + newest + oldest + [1, 0] + [1] + deadline.bytes + [1, 0] + heard.bytes)
    }

    @Test
    func `a list that is empty, too long or names a tuple twice is refused, and so is a selected tuple outside it`()
        throws
    {
        let whole = bytes(of: try agent())
        let list = 1 + 2 * (2 + 14 + 40) + 1 + 9 + 1
        #expect(whole[list..<list + 2] == [2, 0])
        let selected = whole.count - 10
        #expect(whole[selected..<selected + 2] == [1, 0])
        for (position, value, error) in [
            (list, 0, .malformed), (list, 9, .tooLarge), (list + 1, 1, .tooLarge), (list + 2, 2, nil),
            (selected, 2, .tooLarge), (selected, 0, nil), (0, 2, .unsupportedVersion), (list - 1, 6, .malformed),
        ] as [(Int, UInt8, WireError?)] {
            var bytes = whole
            bytes[position] = value
            // The first tuple becomes the second.
            if position == list + 2 { bytes[position + 1] = 1 }
            let isTwice = position == list + 2
            var reader = SnapshotReader(bytes)
            if let expected = isTwice ? .malformed : error {
                #expect(throws: expected) { _ = try ICELiteAgent(restoring: &reader) }
            } else {
                #expect(try ICELiteAgent(restoring: &reader).selected == TupleID(0x0304))
            }
        }
    }

    @Test func `keys are written, and passwords are not`() throws {
        let bytes = bytes(of: try agent())
        let password = Array(ICEScript.credentials.password.utf8)
        #expect(!bytes.indices.contains { bytes[$0...].starts(with: password) })
    }
}
