/// A frame of HTTP/2 (RFC 9113 §4.1), well formed or not, and the heads that tests put into frames.
struct HTTP2Frame: Equatable {
    enum Kind: UInt8 {
        case data, headers, priority, reset, settings, push, ping, goAway, windowUpdate, continuation
        /// A type that no document defines.
        case unknown = 0xEE
    }

    var kind: Kind
    var flags: UInt8 = 0
    var stream: UInt32 = 0
    var payload: [UInt8] = []

    static let endStream: UInt8 = 0x1
    static let acknowledgement: UInt8 = 0x1
    static let endHeaders: UInt8 = 0x4
    static let preface = Array("PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n".utf8)
    /// The preface and the client's SETTINGS, without which nothing else may come.
    static let opening = preface + HTTP2Frame(kind: .settings).bytes

    var bytes: [UInt8] {
        let length = payload.count
        return [UInt8(truncatingIfNeeded: length >> 16), UInt8(truncatingIfNeeded: length >> 8), UInt8(length & 0xFF)]
            + [kind.rawValue, flags] + Self.big(stream) + payload
    }

    /// For a reset and a GOAWAY.
    var errorCode: UInt32? {
        let start = kind == .goAway ? 4 : 0
        guard payload.count >= start + 4 else { return nil }
        return payload[start..<start + 4].reduce(0) { $0 << 8 | UInt32($1) }
    }

    /// Takes the whole frames from the front of `bytes`.
    static func take(from bytes: inout [UInt8]) -> [HTTP2Frame] {
        var frames: [HTTP2Frame] = []
        while bytes.count >= 9 {
            let length = Int(bytes[0]) << 16 | Int(bytes[1]) << 8 | Int(bytes[2])
            guard bytes.count >= 9 + length else { break }
            let stream = bytes[5..<9].reduce(0) { $0 << 8 | UInt32($1) }
            frames.append(
                HTTP2Frame(
                    kind: Kind(rawValue: bytes[3]) ?? .unknown, flags: bytes[4], stream: stream,
                    payload: Array(bytes[9..<9 + length])))
            bytes.removeFirst(9 + length)
        }
        return frames
    }

    static func big(_ value: UInt32) -> [UInt8] {
        [24, 16, 8, 0].map { UInt8(truncatingIfNeeded: value >> $0) }
    }

    static func reset(_ stream: UInt32, code: UInt32 = 8) -> HTTP2Frame {
        HTTP2Frame(kind: .reset, stream: stream, payload: big(code))
    }

    static func windowUpdate(_ stream: UInt32, by increment: UInt32) -> HTTP2Frame {
        HTTP2Frame(kind: .windowUpdate, stream: stream, payload: big(increment))
    }

    static func data(_ stream: UInt32, _ bytes: [UInt8], isEnd: Bool = false) -> HTTP2Frame {
        HTTP2Frame(kind: .data, flags: isEnd ? endStream : 0, stream: stream, payload: bytes)
    }

    static func head(_ stream: UInt32, _ fields: [(String, String)], isEnd: Bool = true) -> HTTP2Frame {
        HTTP2Frame(
            kind: .headers, flags: endHeaders | (isEnd ? endStream : 0), stream: stream, payload: block(fields))
    }

    static func get(_ stream: UInt32, _ path: String = "/healthz", fields: [(String, String)] = []) -> HTTP2Frame {
        head(stream, request("GET", path) + fields)
    }

    static func request(_ method: String, _ path: String) -> [(String, String)] {
        [(":method", method), (":scheme", "http"), (":authority", "localhost"), (":path", path)]
    }

    /// Literal fields without indexing and without Huffman codes (RFC 7541 §6.2.2).
    static func block(_ fields: [(String, String)]) -> [UInt8] {
        fields.flatMap { [0x00] + string($0.0) + string($0.1) }
    }

    private static func string(_ text: String) -> [UInt8] { integer(text.utf8.count, prefix: 7) + Array(text.utf8) }

    /// RFC 7541 §5.1, with a clear pattern before the prefix.
    private static func integer(_ value: Int, prefix: Int) -> [UInt8] {
        let limit = (1 << prefix) - 1
        guard value >= limit else { return [UInt8(value)] }
        var bytes = [UInt8(limit)]
        var rest = value - limit
        while rest >= 128 {
            bytes.append(UInt8(rest & 0x7F) | 0x80)
            rest >>= 7
        }
        return bytes + [UInt8(rest)]
    }
}
