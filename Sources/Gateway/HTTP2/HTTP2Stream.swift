import HTTPTypes
import NIOCore

/// One stream's head under construction and what waits to be sent on it.
struct HTTP2Stream {
    private struct Chunk {
        var bytes: ByteBuffer
        var written: EventLoopPromise<Void>?
    }

    private(set) var head = HTTP2Head()
    /// The request is known to the session's user.
    var isAnnounced = false
    private var outgoing = CircularBuffer<Chunk>(initialCapacity: 0)
    /// Nothing is appended any more.
    var isFinished = false
    /// Everything is sent.
    var isAnswered = false

    mutating func fieldReceived(_ name: String, _ value: String, limits: HTTP2Limits) {
        head.add(name, value, limits: limits)
    }

    mutating func append(_ bytes: ByteBuffer, written: EventLoopPromise<Void>?) {
        outgoing.append(Chunk(bytes: bytes, written: written))
    }

    var hasOutgoing: Bool { !outgoing.isEmpty }

    /// Fills `target`, and adds the promises of chunks that are out to `written`.
    /// - Returns: the bytes copied.
    mutating func take(
        into target: UnsafeMutableRawBufferPointer, written: inout [EventLoopPromise<Void>]
    ) -> Int {
        var filled = 0
        while !outgoing.isEmpty {
            let first = outgoing.startIndex
            let count = min(outgoing[first].bytes.readableBytes, target.count - filled)
            // Safe: `filled + count` is at most the target's count, and `count` at most the chunk's.
            outgoing[first].bytes.readWithUnsafeReadableBytes { source in
                if count > 0 {
                    UnsafeMutableRawBufferPointer(rebasing: target[filled..<filled + count])
                        .copyMemory(from: UnsafeRawBufferPointer(rebasing: source[..<count]))
                }
                return count
            }
            filled += count
            guard outgoing[first].bytes.readableBytes == 0 else { break }
            if let promise = outgoing.removeFirst().written { written.append(promise) }
        }
        return filled
    }

    /// The promises of what will never be sent.
    mutating func abandon() -> [EventLoopPromise<Void>] {
        defer { outgoing.removeAll() }
        return outgoing.compactMap(\.written)
    }
}

/// A request's head as its fields arrive (RFC 9113 §8.3.1); libnghttp2 has checked their form and order.
struct HTTP2Head {
    private var method: String?
    private var scheme: String?
    private var authority: String?
    private var path: String?
    private var extendedConnect: String?
    private var fields = HTTPFields()
    private(set) var problem: HTTP2HeadProblem?
    /// What the fields count, however they were packed (RFC 9113 §6.5.2: 32 for each field).
    private(set) var bytes = 0

    mutating func add(_ name: String, _ value: String, limits: HTTP2Limits) {
        bytes &+= name.utf8.count &+ value.utf8.count &+ 32
        guard bytes <= limits.headerBytes, fields.count < limits.headerFields else {
            problem = .tooLarge
            fields = [:]
            return
        }
        guard problem == nil else { return }
        switch name {
        case ":method": method = value
        case ":scheme": scheme = value
        case ":authority": authority = value
        case ":path": path = value
        case ":protocol": extendedConnect = value
        default:
            guard let name = HTTPField.Name(name), HTTPField.isValidValue(value) else {
                problem = .invalid
                return
            }
            fields.append(HTTPField(name: name, value: value))
        }
    }

    /// The request; `nil` if the method is none, or a field that the request needs is missing.
    var request: HTTPRequest? {
        guard problem == nil, let method = method.flatMap({ HTTPRequest.Method($0) }) else { return nil }
        let host = HTTPField.Name("Host").flatMap { fields[$0] }
        var request = HTTPRequest(
            method: method, scheme: scheme, authority: authority ?? host, path: path, headerFields: fields)
        if let extendedConnect { request.extendedConnectProtocol = extendedConnect }
        return request
    }
}
