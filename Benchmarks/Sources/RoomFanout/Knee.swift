import Foundation

/// How many people one core carries in rooms of ten, as browsers meet: everybody sends sound and a picture in three sizes, is
/// sent everybody else's, and says what arrives.
struct Knee: Encodable {
    struct Step: Encodable {
        var people: Int
        var packetsPerSecond: Double
        /// What each of them is sent, in bits per second.
        var bitsPerPerson: Double
        var cpuMicroseconds: Double
        /// Of one core.
        var serverBusy: Double
        var generatorBusy: Double
        /// Milliseconds.
        var latencyP99: Double
        var loss: Double

        var passes: Bool { loss < 0.001 && latencyP99 <= 20 }
    }

    private struct Stream {
        var packetsPerSecond: Double
        var payload: Int
        var burst: Int

        var bits: Double { packetsPerSecond * Double(payload) * 8 }
    }

    private static let people = 10
    private static let sound = Stream(packetsPerSecond: 50, payload: 100, burst: 1)
    /// 0.15, 0.5 and 1.5 Mb/s in 30 pictures a second, whose packets leave back to back.
    private static let layers = [
        Stream(packetsPerSecond: 30, payload: 625, burst: 1), Stream(packetsPerSecond: 60, payload: 1040, burst: 2),
        Stream(packetsPerSecond: 180, payload: 1040, burst: 6),
    ]
    /// Until the networks are known.
    private static let warmUp = 6.0

    private(set) var steps: [Step] = []

    /// The last before the first that did not pass.
    var last: Step? { steps.last { $0.passes } }

    static func measure(seconds: Int, _ bench: Bench) async throws -> Knee {
        var knee = Knee()
        let server = try Gateway(bench)
        var plan = Plan()
        for room in 0..<4 { try await fill("knee\(room)", server, &plan) }
        let generator = try LoadGenerator(plan.takeText(), watching: server.process, bench)
        var rooms = 4
        while true {
            let step = try knee.step(rooms, generator, seconds)
            knee.steps.append(step)
            // A neighbor's moment on a shared machine is no limit of the server: two tries.
            if !step.passes {
                let again = try knee.step(rooms, generator, seconds)
                knee.steps[knee.steps.count - 1] = again
                guard again.passes else { break }
            }
            try await fill("knee\(rooms)", server, &plan)
            try generator.add(plan.takeText())
            rooms += 1
        }
        generator.stop()
        await server.close()
        return knee
    }

    private func step(_ rooms: Int, _ generator: LoadGenerator, _ seconds: Int) throws -> Step {
        let people = rooms * Self.people
        let run = try generator.measure("\(people) people in rooms of ten", seconds: seconds, warmUp: Self.warmUp)
        guard run.isValid, run.feedbacks > 0 else {
            throw ChildProcess.Failure(description: "packets failed authentication, or streams are missing: \(run)")
        }
        let figures = run.figures
        let sounds = Double(people * (Self.people - 1)) * Self.sound.packetsPerSecond
        let pictures = max(figures.packetsPerSecond - sounds, 0)
        let bits = sounds * Double(Self.sound.payload) * 8 + pictures * Double(Self.layers[2].payload) * 8
        return Step(
            people: people, packetsPerSecond: figures.packetsPerSecond, bitsPerPerson: bits / Double(people),
            cpuMicroseconds: figures.cpuMicroseconds, serverBusy: figures.coresBusy, generatorBusy: run.generatorBusy,
            latencyP99: figures.latencyP99, loss: figures.loss)
    }

    private static func fill(_ room: String, _ server: Gateway, _ plan: inout Plan) async throws {
        var members: [(peer: GatewayPeer, sending: GatewayPeer.Transport, number: Int)] = []
        for index in 0..<people {
            let peer = try await server.peer("\(room)-\(index)", room: room)
            let sending = try await peer.makeTransport(producing: true)
            let receiving = try await peer.makeTransport(producing: false)
            try await peer.join(consumes: true)
            try await peer.connect(receiving)
            members.append((peer, sending, try plan.addTransport(receiving.remote, profile: "gcm")))
        }
        for (peer, sending, _) in members {
            try await peer.connect(sending)
            let number = try plan.addTransport(sending.remote, profile: "gcm")
            let ssrcs = (0...layers.count).map { 1_000_000 + 10 * number + $0 }
            try await peer.produce(on: sending.id, ssrcs: [ssrcs[0]], audio: true, mid: "0")
            try await peer.produce(on: sending.id, ssrcs: Array(ssrcs.dropFirst()), audio: false, mid: "1")
            plan.send(
                on: number, ssrc: ssrcs[0], codec: "opus", payloadType: 111, packetsPerSecond: sound.packetsPerSecond,
                payload: sound.payload)
            for (layer, ssrc) in zip(layers, ssrcs.dropFirst()) {
                plan.send(
                    on: number, ssrc: ssrc, codec: "vp8", payloadType: 96, packetsPerSecond: layer.packetsPerSecond,
                    payload: layer.payload, burst: layer.burst, isLayer: true)
            }
        }
        for (peer, _, number) in members {
            try await peer.client.awaitRequests(2 * (people - 1))
            plan.expect(2 * (people - 1), on: number, feedback: try await peer.transportWideExtension())
        }
    }

    func print() {
        let head = ["people", "packets/s", "each is sent", "CPU per packet", "server", "generator", "p99", "loss"]
        Table(
            rows: [head]
                + steps.map { step in
                    [
                        String(step.people), step.packetsPerSecond.text(0),
                        "\((step.bitsPerPerson / 1e6).text(1)) Mb/s", "\(step.cpuMicroseconds.text(2)) µs",
                        "\((step.serverBusy * 100).text(0)) %", "\((step.generatorBusy * 100).text(0)) %",
                        "\(step.latencyP99.text(1)) ms", "\((step.loss * 100).text(3)) %",
                    ]
                }
        ).print()
    }
}
