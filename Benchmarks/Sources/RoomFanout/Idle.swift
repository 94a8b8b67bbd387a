import Foundation
import Glibc

/// What a server costs while everybody is connected and nobody sends.
struct Idle: Encodable {
    /// Of one core, while the clients keep their paths open: an ICE check of each transport every 2 s.
    var cpu: Double
    /// Of one core, while the clients send nothing at all: what the server does by itself.
    var cpuAlone: Double
    /// Of these, what the media threads use.
    var mediaCPU: Double
    var mediaCPUAlone: Double
    /// Each second, while the clients check.
    var checks: Double
    var wakeups: Double
    /// Each second, while the clients send nothing.
    var datagramsSentAlone: Double
    var wakeupsAlone: Double

    /// How long a client is without media before the server says so, and more.
    private static let settling = Duration.seconds(9)
    private static let window = 6.0

    static func measure(_ server: Gateway, _ generator: LoadGenerator) async throws -> Idle {
        try await Task.sleep(for: settling)
        let busy = try await stretch(server)
        generator.setChecking(false)
        // What was on its way is answered.
        try await Task.sleep(for: .seconds(1))
        let alone = try await stretch(server)
        generator.setChecking(true)
        return Idle(
            cpu: busy.cpu, cpuAlone: alone.cpu, mediaCPU: busy.rate("cpu_seconds"),
            mediaCPUAlone: alone.rate("cpu_seconds"),
            checks: busy.rate("stun_requests"), wakeups: busy.rate("wakeups"),
            datagramsSentAlone: alone.rate("datagrams_sent"), wakeupsAlone: alone.rate("wakeups"))
    }

    /// What was used and counted between two looks.
    private struct Stretch {
        var cpu: Double
        var before: [String: Double]
        var after: [String: Double]
        var seconds: Double

        func rate(_ name: String) -> Double {
            let name = "roundhouse_media_\(name)_total"
            return ((after[name] ?? 0) - (before[name] ?? 0)) / seconds
        }
    }

    private static func stretch(_ server: Gateway) async throws -> Stretch {
        let before = try server.metrics()
        let (start, cpu) = (ContinuousClock.now, server.process.cpuSeconds)
        try await Task.sleep(for: .seconds(window))
        // In this order: the looks at the counters are not in what they look at.
        let used = server.process.cpuSeconds - cpu
        let seconds = (ContinuousClock.now - start) / .seconds(1)
        return Stretch(cpu: used / seconds, before: before, after: try server.metrics(), seconds: seconds)
    }
}

extension Gateway {
    /// The counters of `/metrics` by name, those of the same name added up.
    func metrics() throws -> [String: Double] {
        var values: [String: Double] = [:]
        for (name, value) in try samples() { values[String(name.prefix { $0 != "{" }), default: 0] += value }
        return values
    }

    /// What each media thread has forwarded so far.
    func packetsForwarded() throws -> [Double] {
        let name = "roundhouse_media_packets_forwarded_total{"
        return try samples().filter { $0.name.hasPrefix(name) }.sorted { $0.name < $1.name }.map(\.value)
    }

    /// Every sample of `/metrics`, with its labels in the name.
    private func samples() throws -> [(name: String, value: Double)] {
        let request = "GET /metrics HTTP/1.1\r\nHost: 127.0.0.1:\(port)\r\nConnection: close\r\n\r\n"
        let answer = try Self.exchange(request, port: port)
        guard answer.hasPrefix("HTTP/1.1 200") else {
            throw ChildProcess.Failure(description: "no metrics: \(answer.prefix(200))")
        }
        return answer.split(whereSeparator: \.isNewline).compactMap { line in
            guard line.hasPrefix("roundhouse_"), let space = line.lastIndex(of: " "),
                let value = Double(line[line.index(after: space)...])
            else { return nil }
            return (String(line[..<space]), value)
        }
    }

    private static func exchange(_ request: String, port: Int) throws -> String {
        let descriptor = socket(AF_INET, Int32(SOCK_STREAM.rawValue), 0)
        defer { Glibc.close(descriptor) }
        var address = sockaddr_in()
        address.sin_family = sa_family_t(AF_INET)
        address.sin_port = UInt16(truncatingIfNeeded: port).bigEndian
        address.sin_addr.s_addr = UInt32(0x7F00_0001).bigEndian
        let connected = withUnsafePointer(to: &address) {
            $0.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                connect(descriptor, $0, socklen_t(MemoryLayout<sockaddr_in>.size))
            }
        }
        guard connected == 0, write(descriptor, request, request.utf8.count) == request.utf8.count else {
            throw ChildProcess.Failure(description: "the server's port \(port) cannot be reached")
        }
        var answer: [UInt8] = []
        var part = [UInt8](repeating: 0, count: 65536)
        while case let count = read(descriptor, &part, part.count), count > 0 { answer += part[..<count] }
        return String(decoding: answer, as: UTF8.self)
    }
}
