import Testing

@testable import Media

private func ms(_ milliseconds: Int) -> MediaInstant {
    MediaInstant(nanoseconds: 1_000_000_000) + .milliseconds(milliseconds)
}

@Suite("SimulcastSelector")
struct SimulcastSelectorTests {
    @Test("Nothing is sent before a key frame, and then the switch is announced once")
    func start() {
        var selector = SimulcastSelector(encodings: 1)
        let delta = selector.packetReceived(encoding: 0, isKeyFrame: false, at: ms(0))
        let wanted = selector.encodingWanted(at: ms(0))
        let key = selector.packetReceived(encoding: 0, isKeyFrame: true, at: ms(10))
        let after = selector.packetReceived(encoding: 0, isKeyFrame: false, at: ms(20))
        #expect(delta == .discard)
        #expect(wanted == 0)
        #expect(key == .switchAndForward)
        #expect(after == .forward)
        #expect(selector.encodingWanted(at: ms(20)) == nil)
    }

    @Test("A higher encoding is wanted as soon as it is there, and taken at its key frame")
    func upgrade() {
        var selector = SimulcastSelector(encodings: 3)
        _ = selector.packetReceived(encoding: 0, isKeyFrame: true, at: ms(0))
        let high = selector.packetReceived(encoding: 2, isKeyFrame: false, at: ms(10))
        #expect(high == .discard)
        #expect(selector.encodingWanted(at: ms(10)) == 2)
        let low = selector.packetReceived(encoding: 0, isKeyFrame: false, at: ms(20))
        #expect(low == .forward)
        let key = selector.packetReceived(encoding: 2, isKeyFrame: true, at: ms(30))
        #expect(key == .switchAndForward)
        #expect(selector.current == 2)
        let oldLow = selector.packetReceived(encoding: 0, isKeyFrame: true, at: ms(40))
        #expect(oldLow == .discard)
    }

    @Test("A key frame of an encoding that is not the target changes nothing")
    func otherKeyFrame() {
        var selector = SimulcastSelector(encodings: 3)
        _ = selector.packetReceived(encoding: 2, isKeyFrame: false, at: ms(0))
        let middle = selector.packetReceived(encoding: 1, isKeyFrame: true, at: ms(1))
        #expect(middle == .discard)
        #expect(selector.current == nil)
    }

    @Test("An encoding that falls silent for 1500 ms is left at a lower one's key frame")
    func silent() {
        var selector = SimulcastSelector(encodings: 2)
        _ = selector.packetReceived(encoding: 1, isKeyFrame: true, at: ms(0))
        _ = selector.packetReceived(encoding: 0, isKeyFrame: false, at: ms(1499))
        #expect(selector.encodingWanted(at: ms(1499)) == nil)
        #expect(selector.encodingWanted(at: ms(1500)) == 0)
        let key = selector.packetReceived(encoding: 0, isKeyFrame: true, at: ms(1510))
        #expect(key == .switchAndForward)
    }

    @Test("A preferred layer limits the choice")
    func limit() {
        var selector = SimulcastSelector(encodings: 3)
        selector.limit = 1
        _ = selector.packetReceived(encoding: 2, isKeyFrame: true, at: ms(0))
        let middle = selector.packetReceived(encoding: 1, isKeyFrame: true, at: ms(1))
        #expect(middle == .switchAndForward)
        selector.limit = 0
        _ = selector.packetReceived(encoding: 0, isKeyFrame: false, at: ms(2))
        #expect(selector.encodingWanted(at: ms(2)) == 0)
    }

    @Test("Numbers outside the producer's encodings are discarded", arguments: [-1, 2, 200])
    func outside(encoding: Int) {
        var selector = SimulcastSelector(encodings: 2)
        let decision = selector.packetReceived(encoding: encoding, isKeyFrame: true, at: ms(0))
        #expect(decision == .discard)
    }
}
