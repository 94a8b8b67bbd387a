import Foundation
import Testing

@testable import RoundhouseMedia

/// Recordings of real calls (`Tests/Scenarios/Traces`): whoever drops one there has a test.
///
/// A change of what is decided is no fault, but has to be looked at: `gateway replay FILE` shows it, and
/// `gateway replay FILE --output FILE` accepts it.
@Suite("Recorded calls")
struct RecordedCallTests {
    private static let folder = URL(fileURLWithPath: #filePath)
        .deletingLastPathComponent().deletingLastPathComponent().deletingLastPathComponent()
        .appending(path: "Scenarios/Traces")

    private static let traces: [String] = {
        let files = try? FileManager.default.contentsOfDirectory(atPath: folder.path(percentEncoded: false))
        return (files ?? []).filter { $0.hasSuffix(".rhbw") }.sorted()
    }()

    @Test func `there are traces`() { #expect(!Self.traces.isEmpty) }

    @Test(arguments: traces) func `a trace is decided as it was recorded`(name: String) throws {
        let recording = Array(try Data(contentsOf: Self.folder.appending(path: name)))
        let replay = try BandwidthReplay(recording)
        #expect(replay.firstDifference == nil, "see gateway replay Tests/Scenarios/Traces/\(name)")
    }
}
