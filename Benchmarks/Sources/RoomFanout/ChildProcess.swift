import Foundation
import Glibc
import Synchronization

/// A process of the benchmark, pinned to cores, talked to by lines.
final class ChildProcess {
    struct Failure: Error, CustomStringConvertible {
        let description: String
    }

    private let process = Process()
    private let input = Pipe()
    private let output = Pipe()
    private var buffered = Data()

    var processIdentifier: Int32 { process.processIdentifier }

    /// - Parameter cores: as `taskset -c` takes them; empty leaves the process where it is.
    init(_ executable: String, _ arguments: [String], cores: String, environment: [String: String] = [:]) throws {
        process.executableURL = URL(fileURLWithPath: "/usr/bin/env")
        process.arguments =
            (cores.isEmpty ? [] : ["taskset", "-c", cores])
            + environment.map { "\($0)=\($1)" }
            .reduce(into: ["env"]) { $0.append($1) } + [executable] + arguments
        process.standardInput = input
        process.standardOutput = output
        try process.run()
        let identifier = process.processIdentifier
        Self.running.withLock { _ = $0.insert(identifier) }
    }

    private static let running = Mutex<Set<Int32>>([])

    /// Takes the processes along when this one is interrupted.
    static func endOnSignals() -> [any DispatchSourceSignal] {
        [SIGINT, SIGTERM, SIGHUP].map { number in
            signal(number, SIG_IGN)
            let source = DispatchSource.makeSignalSource(signal: number, queue: .global())
            source.setEventHandler {
                for identifier in running.withLock({ $0 }) { kill(identifier, SIGKILL) }
                exit(128 + number)
            }
            source.resume()
            return source
        }
    }

    /// Waits for a line that starts with one of `prefixes`, and calls `tick` in every second of waiting.
    func line(startingWith prefixes: String..., tick: () -> Void = {}) throws -> String {
        while true {
            while let end = buffered.firstIndex(of: UInt8(ascii: "\n")) {
                let line = String(decoding: buffered[..<end], as: UTF8.self)
                buffered = Data(buffered[(end + 1)...])
                if prefixes.contains(where: line.hasPrefix) { return line }
            }
            var readable = pollfd(fd: output.fileHandleForReading.fileDescriptor, events: Int16(POLLIN), revents: 0)
            guard poll(&readable, 1, 1000) != 0 else {
                tick()
                continue
            }
            let more = output.fileHandleForReading.availableData
            guard !more.isEmpty else {
                throw Failure(description: "\(process.arguments?.joined(separator: " ") ?? "") ended early")
            }
            buffered.append(more)
        }
    }

    func say(_ line: String) { input.fileHandleForWriting.write(Data((line + "\n").utf8)) }

    /// Seconds of CPU that the process has used, its ended threads included, from the kernel's accounting.
    var cpuSeconds: Double {
        var clock = clockid_t()
        var time = timespec()
        guard clock_getcpuclockid(processIdentifier, &clock) == 0, clock_gettime(clock, &time) == 0 else { return 0 }
        return Double(time.tv_sec) + Double(time.tv_nsec) / 1e9
    }

    /// KiB of anonymous memory: what the process allocated and touched, without code and mapped files.
    var anonymousKiB: Double {
        let rollup = (try? String(contentsOfFile: "/proc/\(processIdentifier)/smaps_rollup", encoding: .utf8)) ?? ""
        let line = rollup.split(separator: "\n").first { $0.hasPrefix("Anonymous:") }
        return line?.split(separator: " ").dropFirst().first.flatMap { Double($0) } ?? 0
    }

    func stop() {
        guard process.isRunning else { return }
        process.terminate()
        for _ in 0..<300 where process.isRunning { usleep(10_000) }
        // Janus may wait for its sessions.
        if process.isRunning { kill(processIdentifier, SIGKILL) }
        process.waitUntilExit()
        let identifier = process.processIdentifier
        Self.running.withLock { _ = $0.remove(identifier) }
    }
}
