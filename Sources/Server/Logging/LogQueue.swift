import Dispatch
import Synchronization

/// Takes lines from any thread without making it wait, and writes them in order by a thread of its own. Where nobody reads them, or not
/// fast enough, what does not fit any more is left out, and the next line that is written says how many those were.
final class LogQueue: Sendable {
    private struct State {
        var waiting: [String] = []
        /// Of what waits and of what is being written.
        var bytes = 0
        var leftOut = 0
        var isWriting = false
    }

    /// The process's own.
    static let standardError = LogQueue { StandardStream.error.write($0) }

    private let state = Mutex(State())
    private let limit: Int
    private let write: @Sendable (String) -> Void
    private let writer = DispatchQueue(label: "log")

    /// - Parameters:
    ///   - limit: bytes that may wait.
    ///   - write: called by one thread at a time, which it may keep for as long as it likes.
    init(limit: Int = 1_048_576, write: @escaping @Sendable (String) -> Void) {
        self.limit = limit
        self.write = write
    }

    /// - Parameter line: with its line feed.
    func append(_ line: String) {
        let mustBegin = state.withLock { state in
            guard state.bytes + line.utf8.count <= limit else {
                state.leftOut += 1
                return false
            }
            state.waiting.append(line)
            state.bytes += line.utf8.count
            defer { state.isWriting = true }
            return !state.isWriting
        }
        if mustBegin { writer.async { self.writeAll() } }
    }

    private func writeAll() {
        var written = 0
        while true {
            let text = state.withLock { state -> String? in
                state.bytes -= written
                guard !state.waiting.isEmpty || state.leftOut > 0 else {
                    state.isWriting = false
                    return nil
                }
                var text = state.waiting.joined()
                state.waiting = []
                written = text.utf8.count
                if state.leftOut > 0 {
                    text += "log: \(state.leftOut) lines were left out: they were not read in time\n"
                }
                state.leftOut = 0
                return text
            }
            guard let text else { return }
            write(text)
        }
    }

    /// Returns when what was appended before is written, or after so many seconds.
    func flush(seconds: Double = 1) {
        let mark = DispatchWorkItem {}
        writer.async(execute: mark)
        _ = mark.wait(timeout: .now() + seconds)
    }
}
