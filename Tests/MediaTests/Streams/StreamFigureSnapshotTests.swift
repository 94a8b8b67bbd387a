import Testing

@testable import RoundhouseMedia

@Suite("Scores, rates, watches and schedules, written down and restored")
struct StreamFigureSnapshotTests {
    @Test func `a rate goes on over its window`() throws {
        try SnapshotScript(pace: .milliseconds(200), RateWindow(window: .milliseconds(2500))) { rate, _, random, now in
            if random.isOne(in: 80) { rate.reset() }
            if random.isOne(in: 2) { rate.add(bytes: random.below(90_000), at: now) }
            return "\(rate.bitrate(at: now))"
        }.check()
    }

    @Test(arguments: [1, 3]) func `rates by layer go on`(spatialLayers: Int) throws {
        let make = { LayerRates(spatialLayers: spatialLayers, temporalLayers: 2, window: .seconds(6)) }
        try SnapshotScript(pace: .milliseconds(100), make()) { rates, _, random, now in
            var layers = PacketLayers()
            layers.spatialLayer = UInt8(random.below(4))
            layers.temporalLayer = UInt8(random.below(4))
            rates.add(layers, bytes: random.below(2000), at: now)
            var said = "\(rates.bitrate(spatial: 0, temporal: 1, at: now))"
            rates.forEach(at: now) { said += " \($0).\($1):\($2)" }
            return said
        }.check()
    }

    @Test func `a stream of one layer needs two bytes and no memory`() throws {
        var writer = SnapshotWriter()
        LayerRates(spatialLayers: 1, temporalLayers: 1).write(to: &writer)
        #expect(writer.bytes == [1, 1])
        for bytes in [[0, 1], [1, 0], [9, 1], [1, 9]] as [[UInt8]] {
            #expect(throws: WireError.malformed) {
                var reader = SnapshotReader(bytes)
                _ = try LayerRates(restoring: &reader)
            }
        }
    }

    @Test func `a stream's score goes on with its history`() throws {
        try SnapshotScript(steps: 200, countOffset: 0, StreamScore()) { score, _, random, _ in
            if random.isOne(in: 60) { return "\(score.reset(to: UInt8(random.below(12)))) \(score.value)" }
            let interval = StreamScore.Interval(
                packets: UInt64(random.below(100)), lost: UInt64(random.below(40)), repaired: UInt64(random.below(20)),
                retransmitted: UInt64(random.below(30)))
            return "\(score.report(interval)) \(score.value)"
        }.check()
    }

    @Test(arguments: [false, true]) func `a received stream's score goes on, silence included`(isOneOfSeveral: Bool)
        throws
    {
        let make = { ReceiveScore(isOneOfSeveral: isOneOfSeveral, usesDTX: false) }
        try SnapshotScript(pace: .milliseconds(900), make()) { score, index, random, now in
            var said = ""
            if let deadline = score.nextDeadline, deadline <= now { said = "\(score.deadlineReached(at: now))" }
            switch random.below(8) {
            case 0:
                said +=
                    " \(score.reported(packets: UInt64(index * 9), lost: Int64(index + random.below(5) - 2), repaired: UInt64(index / 2), retransmitted: UInt64(index)))"
            case 1: score.paused()
            case 2: score.resumed(at: now)
            case 3...5: said += " \(score.packetReceived(at: now))"
            default: break
            }
            return said + " \(score.value ?? 99) \(score.nextDeadline, default: "")"
        }.check()
    }

    @Test func `an inactivity monitor goes on in every state`() throws {
        let make = { InactivityMonitor(usesDTX: true) }
        try SnapshotScript(pace: .milliseconds(3000), make()) { monitor, _, random, now in
            var said = ""
            if let deadline = monitor.nextDeadline, deadline <= now {
                said = "\(monitor.deadlineReached(at: now), default: "")"
            }
            switch random.below(6) {
            case 0: monitor.paused()
            case 1: monitor.resumed(at: now)
            case 2, 3: said += "\(monitor.packetReceived(at: now), default: "")"
            default: break
            }
            return said + "\(monitor.isActive) \(monitor.nextDeadline, default: "")"
        }.check()
    }

    @Test func `figures of a transport go on: packet loss, traffic, the worst consumer's loss, traces, audio levels`()
        throws
    {
        try SnapshotScript(steps: 100, countOffset: 0, PacketLossHistory()) { history, _, random, _ in
            history.add(lost: random.below(30), of: random.below(40))
            return "\(history.value, default: "")"
        }.check()
        let start = MediaInstant(nanoseconds: 1_000_000_000_000)
        try SnapshotScript(pace: .milliseconds(600), TrafficSampler(at: start)) { sampler, index, random, now in
            var traffic = TransportTraffic()
            traffic.received = UInt64(index * 1000)
            traffic.rtxSent = UInt64(index * 77)
            traffic.probationSent = UInt64(index)
            if random.isOne(in: 2) { sampler.sample(traffic, at: now) }
            return "\(sampler.bitrates(traffic, at: now))"
        }.check()
        try SnapshotScript(MaximumReceiverLoss()) { worst, _, random, _ in
            if random.isOne(in: 2) { worst.add(UInt8(random.below(256))) }
            if random.isOne(in: 3) { worst.reported() }
            return "\(worst.fractionLost(own: 3))"
        }.check()
        try SnapshotScript(countOffset: 8, TraceLimiter()) { limiter, _, random, now in
            "\((0..<random.below(300)).map { _ in limiter.admits(at: now) }.count { $0 })"
        }.check()
        try SnapshotScript(AudioLevelBatch()) { batch, _, random, now in
            if random.isOne(in: 5) { return "\(batch.take(for: ProducerKey(rawValue: 4)), default: "")" }
            batch.add(AudioLevel(level: UInt8(random.below(128)), hasVoice: false), at: now)
            return "\(batch.isEmpty)"
        }.check()
    }

    @Test(arguments: [0, 900]) func `key frame requests go on: pending, deferred, held off`(delay: Int) throws {
        let make = { KeyFrameRequester(delay: .milliseconds(delay)) }
        try SnapshotScript(pace: .milliseconds(500), make()) { requester, _, random, now in
            var said = ""
            while let deadline = requester.nextDeadline, deadline <= now {
                said += "\(requester.deadlineReached(at: now)) "
                if said.count > 100 { break }
            }
            let need: KeyFrameRequester.Urgency = random.isOne(in: 2) ? .change : .joining
            switch random.below(9) {
            case 0, 1: said += "\(requester.requested(for: need, at: now))"
            case 2, 3: said += "\(requester.renewed(for: need, at: now))"
            case 4: requester.keyFrameReceived(at: now)
            case 5 where random.isOne(in: 4): said += "\(requester.forced(at: now))"
            case 6 where random.isOne(in: 4): requester.reset()
            case 7: requester.senderReturned(at: now)
            default: break
            }
            return said + " \(requester.isPending) \(requester.nextDeadline, default: "")"
        }.check()
    }

    @Test func `wishes for key frames stay open, granted or none`() throws {
        try SnapshotScript(pace: .milliseconds(300), KeyFrameWish()) { wish, _, random, now in
            let cause: KeyFrameWish.Cause = random.isOne(in: 2) ? .start : .receiver
            let keyFrame = random.isOne(in: 4) ? nil : now + .milliseconds(random.below(300))
            var said = "\(wish.isGranted(cause, by: keyFrame))"
            switch random.below(5) {
            case 0: wish.close(cause, keyFrame: keyFrame)
            case 1 where random.isOne(in: 5): wish.sourceChanged()
            case 2: wish.isListed.toggle()
            default: said += "\(wish.open(cause, encoding: random.below(8), at: now))"
            }
            return said
                + "\(wish.encoding(of: .start) ?? -1) \(wish.encoding(of: .receiver) ?? -1) \(wish.isListed)"
                + "\((0..<8).map { wish.isDue(.receiver, encoding: $0, at: now) })"
        }.check()
    }

    @Test func `a watch over what is received goes on with what it has noticed`() throws {
        try SnapshotScript(pace: .seconds(2), ReceptionWatch()) { watch, _, random, now in
            var said = ""
            if let deadline = watch.nextDeadline, deadline <= now {
                let harvest = ReceptionWatch.Harvest(
                    expected: 2, unheard: random.below(3), withoutKeyFrame: random.below(2),
                    hasEverHeard: random.isOne(in: 2))
                said = "\(watch.deadlineReached(harvest, at: now), default: "")"
            }
            let refusals: [ReceptionWatch.Refusal] = [
                .unknownSSRC, .unknownPayloadType, .authentication, .foreignSource,
            ]
            switch random.below(10) {
            case 0: watch.begin(at: now)
            case 1 where random.isOne(in: 3): said += "\(watch.stop(), default: "")"
            case 2...5:
                for _ in 0..<4 {
                    watch.packetRefused(
                        refusals[random.below(4)], ssrc: SSRC(UInt32(random.below(9))),
                        payloadType: UInt8(random.below(128)))
                }
            default: break
            }
            return said + " \(watch.raised, default: "") \(watch.nextDeadline, default: "")"
        }.check()
    }

    @Test func `reports come when they would have come`() throws {
        let start = MediaInstant(nanoseconds: 1_000_000_000_000)
        let scheduler = ReportScheduler(startingAt: start)
        try SnapshotScript(pace: .milliseconds(300), scheduler) { scheduler, step, random, now in
            // Silent for longer than anybody remembers, again and again.
            if step % 40 == 20 {
                scheduler.reported(0, at: now)
                scheduler.reported(0, at: now + .seconds(10))
            }
            if step % 40 == 30, scheduler.isAsleep { scheduler.wake(at: now) }
            let isDue = scheduler.isDue(at: now, random: UInt32(truncatingIfNeeded: random.next()))
            return "\(isDue) \(scheduler.nextDeadline, default: "")"
        }.check()
        for kind in MediaKind.allCases {
            try SnapshotScript(pace: .milliseconds(900), ReportThrottle(kind: kind)) { throttle, _, _, now in
                "\(throttle.mayReport(at: now))"
            }.check()
        }
    }

    @Test func `senders' clocks go on by their names`() throws {
        try SnapshotScript(steps: 150, SenderClocks()) { clocks, index, random, now in
            let names = ["a", "camera@example.net", "ü", ""]
            let ntp = 3_900_000_000 << 32 + UInt64(index) << 25 + UInt64(random.below(1 << 24))
            let taken = clocks.reportReceived(
                ntp: random.isOne(in: 40) ? random.next() : ntp, of: names[random.below(4)],
                among: random.isOne(in: 30) ? ["a"] : Set(names), at: now)
            return "\(taken)"
        }.check()
        let first: [UInt8] = [1, 0, 0x62, 0]
        for bytes in [[2, 0] + first + [1, 0, 0x61, 0], [2, 0] + first + first, [1, 0, 1, 0, 0xFF, 0]] as [[UInt8]] {
            #expect(throws: WireError.malformed) {
                var reader = SnapshotReader(bytes)
                _ = try SenderClocks(restoring: &reader)
            }
        }
    }
}
