import Foundation
import NIOCore
import NIOPosix

/// Where a benchmark runs: the programs, the cores, a folder for its files, the clients' certificate.
struct Bench {
    let gateway: String
    /// The folder with LoadGenerator, Floor and the allocation counter: where this program is.
    let tools: URL
    let serverCores: String
    let loadCores: String
    let folder: URL
    /// Of the clients' certificate.
    let fingerprint: String
    let group: MultiThreadedEventLoopGroup

    init(gateway: String, tools: URL, serverCores: String, loadCores: String) throws {
        self.gateway = gateway
        self.tools = tools
        self.serverCores = serverCores
        self.loadCores = loadCores
        folder = FileManager.default.temporaryDirectory.appendingPathComponent("RoomFanout-\(getpid())")
        try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
        let maker = try ChildProcess(
            tools.appendingPathComponent("LoadGenerator").path, ["cert", folder.path], cores: "")
        var line: String
        repeat { line = try maker.line(startingWith: "") } while !line.contains(":")
        fingerprint = line.split(separator: " ").last.map(String.init) ?? ""
        maker.stop()
        group = MultiThreadedEventLoopGroup(numberOfThreads: 1)
    }

    func close() async {
        try? FileManager.default.removeItem(at: folder)
        try? await group.shutdownGracefully()
    }

    /// A line about what is going on, for the person who waits.
    static func progress(_ line: String) { FileHandle.standardError.write(Data((line + "\n").utf8)) }
}

/// A server under test that can be filled with rooms.
protocol ForwardingServer: AnyObject {
    var name: String { get }
    var process: ChildProcess { get }
    /// Enters the peers of all rooms, and connects their transports.
    func load(_ load: Load, _ bench: Bench) async throws -> LoadGenerator
    func close() async
}
