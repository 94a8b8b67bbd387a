/// Shows that the benchmark fails when what arrives is garbage.
enum SelfTest {
    static func run(_ bench: Bench) async throws -> Bool {
        var passed = true
        for (interval, expected) in [(0, true), (4, false), (1, false)] {
            let relay = CorruptingRelay(oneIn: interval)
            let server = try Gateway(bench)
            var load = Load()
            load.subscribers = 3
            var plan = Plan()
            plan.detour = relay.detour
            try await server.fill(room: "test", load, &plan)
            relay.start()
            let generator = try LoadGenerator(plan.takeText(), watching: server.process, bench)
            let run = try generator.measure("self-test", seconds: 2)
            generator.stop()
            relay.stop()
            await server.close()
            let what = interval == 0 ? "no packet altered" : "one bit altered in one of \(interval) packet(s)"
            print(
                "\(what): \(run.isValid ? "valid" : "not valid"), \(run.isValid == expected ? "as it must be" : "WRONG")"
            )
            passed = passed && run.isValid == expected
        }
        return passed
    }
}
