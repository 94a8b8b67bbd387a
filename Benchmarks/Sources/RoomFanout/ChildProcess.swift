import Foundation

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

    /// - Parameter cores: as `taskset -c` takes them; `nil` leaves the process where it is.
    init(_ executable: String, _ arguments: [String], cores: String?, keepsErrors: Bool = false) throws {
        process.executableURL = URL(fileURLWithPath: "/usr/bin/env")
        process.arguments = (cores.map { ["taskset", "-c", $0] } ?? []) + [executable] + arguments
        process.standardInput = input
        process.standardOutput = output
        if keepsErrors { process.standardError = output }
        try process.run()
    }

    /// Waits for a line that starts with one of `prefixes`.
    func line(startingWith prefixes: String...) throws -> String {
        while true {
            while let end = buffered.firstIndex(of: UInt8(ascii: "\n")) {
                let line = String(decoding: buffered[..<end], as: UTF8.self)
                buffered = Data(buffered[(end + 1)...])
                if prefixes.contains(where: line.hasPrefix) { return line }
            }
            let more = output.fileHandleForReading.availableData
            guard !more.isEmpty else {
                throw Failure(description: "\(process.arguments?.joined(separator: " ") ?? "") ended early")
            }
            buffered.append(more)
        }
    }

    func say(_ line: String) { input.fileHandleForWriting.write(Data((line + "\n").utf8)) }

    func stop() {
        guard process.isRunning else { return }
        process.terminate()
        process.waitUntilExit()
    }
}
