/// What a path does to packets: queues, drops, delays.
struct Bottleneck {
    private let path: Path
    private var random: Randomness
    private var queue: [WirePacket] = []
    private var head = 0
    private var queuedBytes = 0.0
    /// When the link is free for the next packet.
    private var freeAt = 0.0
    private var tokens = 0.0
    private var tokensAt = 0.0
    private var isInBurst = false
    private var jitterLevel = 0.5
    private var jitterAt = 0.0
    private var lastArrival = 0.0
    private(set) var dropped = 0
    private(set) var arrivals: [(packet: WirePacket, at: Double)] = []
    private var taken = 0

    init(_ path: Path, seed: UInt64) {
        self.path = path
        random = Randomness(seed: seed)
        tokens = path.policerBucket ?? 0
    }

    /// How long a packet that is sent now would wait.
    func wait(at now: Double) -> Double {
        let rate = max(path.rate(now), 1)
        return max(freeAt - now, 0) + queuedBytes * 8 / rate
    }

    mutating func send(_ packet: WirePacket, at now: Double) {
        drain(to: now)
        if path.isDown(now) || isLost(packet, at: now) {
            dropped += 1
            return
        }
        if let bucket = path.policerBucket {
            tokens = min(bucket, tokens + (now - tokensAt) * path.rate(now) / 8)
            tokensAt = now
            guard tokens >= Double(packet.size) else {
                dropped += 1
                return
            }
            tokens -= Double(packet.size)
            arrive(packet, leftAt: now)
            return
        }
        guard queuedBytes + Double(packet.size) <= max(path.nominalRate * path.queueTime / 8, 3_000)
        else {
            dropped += 1
            return
        }
        queue.append(packet)
        queuedBytes += Double(packet.size)
        drain(to: now)
    }

    private mutating func isLost(_ packet: WirePacket, at now: Double) -> Bool {
        if random.chance(path.randomLoss(now)) { return true }
        guard let burst = path.burstLoss else { return false }
        let leave = 1 / burst.length
        isInBurst =
            isInBurst ? !random.chance(leave) : random.chance(leave * burst.part / (1 - burst.part))
        return isInBurst
    }

    mutating func drain(to now: Double) {
        while head < queue.count {
            let begin = max(freeAt, queue[head].sentAt)
            let rate = path.rate(begin)
            guard rate > 0 else {
                // Nothing passes: look again a little later.
                guard begin + 0.001 <= now else { break }
                freeAt = begin + 0.001
                continue
            }
            let end = begin + Double(queue[head].size) * 8 / rate
            guard end <= now else { break }
            freeAt = end
            var packet = queue[head]
            packet.waited = begin - packet.sentAt
            head += 1
            queuedBytes -= Double(packet.size)
            arrive(packet, leftAt: end)
        }
        if head > 4_096 {
            queue.removeFirst(head)
            head = 0
        }
    }

    private mutating func arrive(_ packet: WirePacket, leftAt: Double) {
        var at = leftAt + path.delay(leftAt)
        if let jitter = path.jitter {
            while jitterAt < leftAt {
                jitterAt += 0.02
                jitterLevel = min(max(0.5 + (jitterLevel - 0.5) * 0.9 + random.uniform(-0.25, 0.25), 0), 1)
            }
            at += jitter.low + (jitter.high - jitter.low) * jitterLevel
        }
        if let reorder = path.reorder, random.chance(reorder.part) {
            let late = at + random.uniform(0, reorder.delay)
            return insert(packet, at: late)
        }
        at = max(at, lastArrival)
        lastArrival = at
        insert(packet, at: at)
    }

    private mutating func insert(_ packet: WirePacket, at: Double) {
        var index = arrivals.count
        while index > taken, arrivals[index - 1].at > at { index -= 1 }
        arrivals.insert((packet, at), at: index)
    }

    /// The next packet that has arrived by now.
    mutating func next(until now: Double) -> (packet: WirePacket, at: Double)? {
        guard taken < arrivals.count, arrivals[taken].at <= now else {
            if taken > 4_096 {
                arrivals.removeFirst(taken)
                taken = 0
            }
            return nil
        }
        taken += 1
        return arrivals[taken - 1]
    }
}
