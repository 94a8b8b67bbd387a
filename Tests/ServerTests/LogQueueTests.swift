import Dispatch
import FoundationEssentials
import Logging
import RoundhouseRooms
import Synchronization
import Testing

@testable import Server

@Suite(.timeLimit(.minutes(15))) struct LogQueueTests {
    /// Somebody who reads only when let.
    private final class Reader: Sendable {
        let gate = DispatchSemaphore(value: 0)
        private let read = Mutex("")
        var text: String { read.withLock { $0 } }

        func write(_ text: String) {
            gate.wait()
            read.withLock { $0 += text }
        }
    }

    @Test func `nobody waits for a reader, and what was left out is counted`() {
        let reader = Reader()
        let queue = LogQueue(limit: 1000) { reader.write($0) }
        // Each of ten bytes: a hundred wait, and the rest is left out.
        for number in 0..<5000 { queue.append("line \(1000 + number % 1000)\n") }
        #expect(reader.text == "")
        for _ in 0..<10 { reader.gate.signal() }
        queue.flush(seconds: 60)
        let lines = reader.text.split(separator: "\n")
        #expect(lines.first == "line 1000" && lines.dropFirst(99).first == "line 1099")
        // Said in one line or in two, as the writer began to write in the middle or at the end.
        let leftOut = lines.filter { $0.hasSuffix(" lines were left out: they were not read in time") }
        #expect(leftOut.reduce(0) { $0 + (Int($1.split(separator: " ")[1]) ?? 0) } == 4900, "\(lines.suffix(3))")
        // It goes on where it was.
        queue.append("later\n")
        queue.flush(seconds: 60)
        #expect(reader.text.hasSuffix("later\n"))
    }

    @Test func `lines of many threads are all there, each whole`() async {
        let read = Mutex("")
        let queue = LogQueue { text in read.withLock { $0 += text } }
        await withDiscardingTaskGroup { group in
            for thread in 0..<8 {
                group.addTask { for number in 0..<1000 { queue.append("\(thread) \(number)\n") } }
            }
        }
        queue.flush(seconds: 60)
        let lines = read.withLock { $0 }.split(separator: "\n")
        #expect(lines.count == 8000)
        for thread in 0..<8 {
            #expect(lines.filter { $0.hasPrefix("\(thread) ") }.map { $0.dropFirst(2) } == (0..<1000).map { "\($0)" })
        }
    }

    @Test func `waiting for a reader who never comes ends`() {
        let reader = Reader()
        let queue = LogQueue { reader.write($0) }
        queue.append("x\n")
        queue.flush(seconds: 0.01)
        #expect(reader.text == "")
        for _ in 0..<2 { reader.gate.signal() }
        queue.flush(seconds: 60)
    }

    private func line(_ format: LogFormat, _ message: String, _ metadata: Logger.Metadata) -> String {
        let event = LogEvent(
            level: .warning, message: "\(message)", metadata: nil, source: "Source", file: "", function: "", line: 1)
        return format.line(event, label: "label", metadata: metadata, now: Date(timeIntervalSince1970: 0))
    }

    @Test func `a line of text has its fields in order, and what could forge others is quoted`() {
        #expect(
            line(.text, "hello", ["room.id": "a b", "peer.id": "p"])
                == "1970-01-01T00:00:00Z warning label: peer.id=p room.id=a b [Source] hello\n")
        for (forged, shown) in [
            ("x\n2026 notice y", #""x\n2026 notice y""#), ("x\u{2028}y", #""x\u{2028}y""#),
            ("x\u{1b}[2J", #""x\u{1B}[2J""#),
            ("x admin=true", #""x admin=true""#), ("\"", #""\"""#), ("x\u{202e}y", #""x\u{202E}y""#),
            ("a\r\nb", #""a\r\nb""#),
        ] {
            let text = line(.text, "hello", ["room.id": "\(forged)", "list": ["\(forged)"]])
            #expect(text.split(whereSeparator: \.isNewline).count == 1 && text.hasSuffix(" hello\n"), "\(text)")
            #expect(text.contains("room.id=\(shown)"), "\(text)")
            #expect(
                !text.dropLast().unicodeScalars.contains { $0.value < 32 || $0.value == 0x2028 || $0.value == 0x202E })
        }
        #expect(!line(.text, "a\nb", [:]).dropLast().contains("\n"))
    }

    @Test func `a line of JSON is one object, whatever is in it`() throws {
        let forged = "x\n\"},{\u{1b}\u{2028}"
        let text = line(.json, forged, ["room.id": "\(forged)", "list": ["\(forged)", ["deep": "1"]]])
        #expect(text.filter { $0 == "\n" }.count == 1 && text.last == "\n")
        guard case .object(let fields) = try JSONValue(parsing: String(text.dropLast())) else {
            Issue.record("no object: \(text)")
            return
        }
        #expect(fields["message"] == .string(forged) && fields["level"] == .string("warning"))
        #expect(fields["time"] == .string("1970-01-01T00:00:00Z") && fields["logger"] == .string("label"))
        guard case .object(let more)? = fields["fields"] else {
            Issue.record("no fields: \(text)")
            return
        }
        #expect(more["room.id"] == .string(forged))
        #expect(more["list"] == .array([.string(forged), .object(["deep": .string("1")])]))
    }
}
