import ArgumentParser
import FoundationEssentials
import RoundhouseMedia

/// Decides again what a server has recorded of a receiver.
struct ReplayCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "replay",
        abstract: "Decides again what was recorded of a receiver (POST, then GET /api/v1/rooms/…/peers/…/recording).",
        discussion: """
            Prints each change of what was sent, and what was known of the network. Exit status: 0 if everything was decided as in the \
            recording, to the last bit; 1 if not, as with another version of the server; 2 if it is no recording.
            """)

    @Argument(help: "The recording.") var file: String
    @Flag(help: "Print how it ends only.") var quiet = false
    @Option(help: "Write the recording as this version decides it to this file.") var output: String?

    func run() throws {
        let bytes = try read()
        let replay: BandwidthReplay
        do throws(BandwidthReplay.Failure) {
            let quiet = quiet
            replay = try BandwidthReplay(bytes) { decision in
                if decision.isChange, !quiet { StandardStream.output.write(Self.line(decision)) }
            }
        } catch {
            throw failure("\(file): \(error)")
        }
        if let output {
            do {
                try Data(replay.bytes).write(to: URL(filePath: output))
            } catch {
                throw failure("\(output): cannot be written: \(error)")
            }
        }
        let ending = replay.isCutOff ? ", cut off" : ""
        let summary = "\(replay.inputs) inputs in \(replay.duration.milliseconds / 1000) s\(ending): "
        guard let offset = replay.firstDifference else {
            return StandardStream.output.write(summary + "decided as recorded, to the last bit\n")
        }
        StandardStream.output.write(summary + "decided otherwise than recorded, from offset \(offset) on\n")
        throw ExitCode(1)
    }

    /// A little more than a recording may be.
    private static let largest = 16 << 20

    private func read() throws -> [UInt8] {
        guard let mode = FileMode(of: file) else { throw failure("\(file): there is no such file") }
        guard mode.isRegular, mode.size <= Self.largest else {
            throw failure("\(file): no recording: those are files of 16 MiB at most")
        }
        do {
            return Array(try Data(contentsOf: URL(filePath: file)))
        } catch {
            throw failure("\(file): cannot be read: \(error)")
        }
    }

    private func failure(_ message: String) -> ExitCode {
        StandardStream.error.write("\(ProgramName.current): \(message)\n")
        return ExitCode(2)
    }

    /// With milliseconds, in a column of its own.
    private static func seconds(_ duration: MediaDuration) -> String {
        let rest = String(duration.milliseconds % 1000)
        let text = "\(duration.milliseconds / 1000)." + String(repeating: "0", count: 3 - rest.count) + rest
        return String(repeating: " ", count: max(0, 9 - text.count)) + text
    }

    private static func line(_ decision: BandwidthReplay.Decision) -> String {
        let state = decision.state
        let consumers = decision.consumers.map { consumer in
            let layers = consumer.layers.map { "\($0.spatial)/\($0.temporal)" } ?? "nothing"
            return "\(layers) (\(consumer.reason))"
        }
        return
            "\(seconds(decision.time)) s  \(state.estimate / 1000) kb/s (\(state.cause)), \(state.acknowledged / 1000) arrive, queue "
            + "\(state.queue.milliseconds) ms, loss \(state.loss * 100 / 65_536) %: "
            + consumers.joined(separator: ", ") + "\n"
    }
}
