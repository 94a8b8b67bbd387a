import Testing

@testable import RoundhouseMedia

/// A conversation from a seed: settings, path and messages are drawn, and every promise is checked.
struct SCTPWorld {
    /// A stream's promise.
    private struct Promise {
        var stream: UInt16
        var isUnordered: Bool
        var reliability: SCTPReliability
    }

    private let seed: UInt64

    init(seed: UInt64) { self.seed = seed }

    private static let promises = [
        Promise(stream: 0, isUnordered: false, reliability: .reliable),
        Promise(stream: 1, isUnordered: true, reliability: .reliable),
        Promise(stream: 2, isUnordered: false, reliability: .retransmissions(0)),
        Promise(stream: 3, isUnordered: true, reliability: .retransmissions(1)),
        Promise(stream: 4, isUnordered: false, reliability: .lifetime(.milliseconds(150))),
        Promise(stream: 5, isUnordered: true, reliability: .lifetime(.milliseconds(300))),
    ]

    private func settings(_ random: inout SplitMix) -> SCTPSettings {
        var settings = SCTPSettings()
        if random.isOne(in: 2) { settings.capabilities.insert(.interleaving) }
        if random.isOne(in: 3) { settings.capabilities.insert(.zeroChecksum) }
        if random.isOne(in: 3) { settings.receiveWindow = 20_000 }
        if random.isOne(in: 4) { settings.packetLength = 300 }
        settings.largestReceivedMessage = 100_000
        return settings
    }

    private func path(_ random: inout SplitMix) -> SCTPPair.Path {
        SCTPPair.Path(
            loss: [0, 10, 50, 200][random.below(4)], duplication: [0, 20, 100][random.below(3)],
            reordering: .milliseconds([0, 5, 40][random.below(3)]), delay: .milliseconds([1, 20, 150][random.below(3)]))
    }

    func run() throws {
        var random = SplitMix(seed: seed &* 7919)
        let pair = SCTPPair(
            settings(&random), second: settings(&random), path: path(&random), seed: seed)
        pair.readsBursts = random.isOne(in: 2)
        #expect(pair.connect(isSimultaneous: random.isOne(in: 2)), "seed \(seed): no association")
        _ = (pair.first.takeEvents(), pair.second.takeEvents())
        var sent = [[SCTPMessage]](repeating: [], count: 6)
        var received = [[SCTPMessage]](repeating: [], count: 6)
        let count = 60
        for number in 0..<count {
            let promise = Self.promises[random.below(6)]
            let size = [4, 100, 1160, 1161, 5_000, 30_000][random.below(6)]
            let message = SCTPMessage.numbered(
                number, count: size, on: promise.stream, isUnordered: promise.isUnordered)
            if pair.send(message, promise.reliability) == .queued { sent[Int(promise.stream)].append(message) }
            pair.run(for: .milliseconds(random.below(60)))
            // An association that moves to another process goes on as if nothing had happened.
            if random.isOne(in: 10) {
                pair.exchange()
                try pair.first.move()
                try pair.second.move()
            }
        }
        // Once the path is good again, everything comes to its end: even where the messages that are under way at a time
        // fill the window and each of the last chunks takes a round trip.
        pair.path.loss = 0
        for _ in 0..<400 where !isDone(pair) { pair.run(for: .seconds(1)) }
        for message in pair.second.takeMessages() { received[Int(message.stream)].append(message) }
        #expect(isDone(pair), "seed \(seed): something is left under way")
        #expect(pair.isSound, "seed \(seed): out of bounds, or without a timer")
        #expect(pair.second.association.heldBytes == 0, "seed \(seed): something is left to be put together")
        for promise in Self.promises { check(promise, sent, received) }
    }

    private func isDone(_ pair: SCTPPair) -> Bool { pair.first.association.sender.isDrained }

    private func check(_ promise: Promise, _ sent: [[SCTPMessage]], _ received: [[SCTPMessage]]) {
        let (sent, received) = (sent[Int(promise.stream)], received[Int(promise.stream)])
        let numbers = received.map(\.number)
        let note: Comment = "seed \(seed), stream \(promise.stream)"
        #expect(Set(numbers).count == numbers.count, note)
        let byNumber = Dictionary(sent.map { ($0.number, $0) }) { first, _ in first }
        for message in received { #expect(byNumber[message.number] == message, note) }
        if !promise.isUnordered { #expect(numbers == numbers.sorted(), note) }
        if promise.reliability == .reliable { #expect(received.count == sent.count, note) }
    }
}
