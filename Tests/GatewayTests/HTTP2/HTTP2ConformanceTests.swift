import HTTPTypes
import NIOCore
import Testing

@testable import RoundhouseGateway

/// What conformance tools try, as a table; every case gets a connection of its own.
@Suite struct HTTP2ConformanceTests {
    /// A server that answers every request it is asked.
    private final class Server {
        private let session: HTTP2Session
        private var rest: [UInt8] = []
        private(set) var frames: [HTTP2Frame] = []

        init() throws {
            session = try #require(HTTP2Session())
            receive(HTTP2Frame.opening)
            receive(HTTP2Frame(kind: .settings, flags: HTTP2Frame.acknowledgement).bytes)
        }

        func receive(_ bytes: [UInt8]) { receive([bytes]) }

        /// Takes bytes in pieces, then answers what was asked.
        func receive(_ pieces: [[UInt8]]) {
            var events: [HTTP2Event] = []
            for piece in pieces {
                // What it breaks is seen in what is sent.
                try? session.receive(ByteBuffer(bytes: piece), now: .uptimeNanoseconds(1_000_000_000))
                events += session.takeEvents()
            }
            var asked: Set<Int32> = []
            for event in events {
                switch event {
                case .request(let id, _, let isEnd): if isEnd { asked.insert(id) }
                case .badHead(let id, _), .end(let id): asked.insert(id)
                case .body(let id, let bytes): session.consumed(id, bytes: bytes.readableBytes)
                case .closed(let id, _): asked.remove(id)
                }
            }
            for id in asked.sorted() {
                session.respond(id, HTTPResponse(status: .ok), isEnd: false)
                session.write(id, ByteBuffer(string: "ok"))
                session.finish(id)
            }
            flush()
        }

        private func flush() {
            var buffer = ByteBuffer()
            while session.send(into: &buffer, limit: 1 << 20) {}
            rest += Array(buffer.readableBytesView)
            frames += HTTP2Frame.take(from: &rest)
            _ = session.takeEvents()
        }

        var goAway: UInt32? { frames.last { $0.kind == .goAway }?.errorCode }
        func reset(_ stream: UInt32) -> UInt32? { frames.last { $0.kind == .reset && $0.stream == stream }?.errorCode }
        func isAnswered(_ stream: UInt32) -> Bool {
            frames.contains { $0.stream == stream && $0.kind == .data && $0.flags & HTTP2Frame.endStream != 0 }
        }

        /// Whether a PING is still answered.
        func isAlive() -> Bool {
            let payload = Array("tell me!".utf8)
            receive(HTTP2Frame(kind: .ping, payload: payload).bytes)
            return frames.contains {
                $0.kind == .ping && $0.flags == HTTP2Frame.acknowledgement && $0.payload == payload
            }
        }
    }

    @Test(arguments: HTTP2ConformanceCase.all)
    func `the server does what RFC 9113 has it do`(_ attempt: HTTP2ConformanceCase) throws {
        let server = try Server()
        for step in attempt.steps { server.receive(step) }
        switch attempt.reaction {
        case .connectionError(let codes):
            #expect(server.goAway.map(codes.contains) == true, "\(server.frames)")
            #expect(!server.isAlive())
        case .streamError(let stream, let codes, let mayIgnore):
            let code = server.reset(stream) ?? server.goAway
            if code == nil, mayIgnore {
                #expect(server.isAlive())
            } else {
                #expect(code.map(codes.contains) == true, "\(server.frames)")
            }
        case .served(let streams):
            for stream in streams { #expect(server.isAnswered(stream), "stream \(stream): \(server.frames)") }
            #expect(server.goAway == nil && server.isAlive())
        case .eitherWay: _ = server.isAlive()
        }
    }

    @Test(arguments: HTTP2ConformanceCase.all)
    func `the server does the same when the bytes come in small pieces`(_ attempt: HTTP2ConformanceCase) throws {
        let whole = try Server()
        let cut = try Server()
        for step in attempt.steps {
            whole.receive(step)
            // Not byte by byte: libnghttp2 takes every piece of a CONTINUATION's head for one CONTINUATION, of eight.
            let size = step.count > 4096 ? 997 : 3
            cut.receive(stride(from: 0, to: step.count, by: size).map { Array(step[$0..<min($0 + size, step.count)]) })
        }
        func resets(_ server: Server) -> [UInt32?] { server.frames.filter { $0.kind == .reset }.map(\.errorCode) }
        #expect(cut.goAway == whole.goAway)
        #expect(resets(cut) == resets(whole))
    }
}
