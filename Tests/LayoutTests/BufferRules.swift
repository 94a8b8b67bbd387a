/// Whatever the gateway keeps of a client's bytes, or for a client, is borrowed from the account of its address.
enum BufferRules {
    /// Path → why a file may keep buffers without a loan.
    static let excused: [String: String] = [
        "Sources/Gateway/GatewayServer.swift": "connections, which are counted",
        "Sources/Gateway/Signaling/Dialects/SocketIO/SocketIOServer.swift": "connections, which are counted",
        "Sources/Gateway/Listener/ProtocolSelector.swift": "one read, which each connection may have",
        "Sources/Gateway/TLS/TLSConnection.swift": "records, of what was read or of what others borrowed",
        "Sources/Gateway/TLS/TLSServerHandler.swift": "what others wrote, and borrowed",
        "Sources/Gateway/HTTP2/HTTP2Stream.swift": "what others wrote, and borrowed",
        "Sources/Gateway/WebSocket/WebSocketReader.swift": "WebSocketHandler borrows for it",
        "Sources/Gateway/Signaling/Dialects/SocketIO/EngineSession.swift": "EngineConnection borrows for it",
        "Sources/Gateway/Signaling/Dialects/SocketIO/EnginePayload.swift": "a function's, gone when it returns",
        "Sources/Gateway/Signaling/PendingRequests.swift": "numbers, as many as a client may be asked at a time",
    ]

    private static let loans = ["BorrowedBytes", "BorrowedBuffer", "BorrowedText", "MemoryLoan"]

    /// A property, or an enumeration's case, that holds bytes or a queue.
    private static var buffer: Regex<Substring> {
        /^ {4,8}(?:case \w+\(.*\bByteBuffer\b|(?:private |fileprivate |private\(set\) )?(?:var|let) \w+(?:: (?!\()| = )(?!ByteBufferAllocator).*(?:\bByteBuffer\b|\bCircularBuffer<|\bAsyncStream<|\bNIOAsyncSequenceProducer\b|\[EnginePacket\]|\[Outgoing\])).*/
    }

    static func keepsBuffers(_ file: SourceFile) -> Bool { firstBuffer(in: file) != nil }

    private static func firstBuffer(in file: SourceFile) -> Int? {
        file.lines.firstIndex { line in
            // A machine's actions and a function's variables are gone when it returns.
            line.wholeMatch(of: buffer) != nil && !line.contains("case write(") && !line.contains("case pong(")
                && !line.hasPrefix("        let ") && !line.contains("case body(")
        }
    }

    static func violations(in file: SourceFile) -> [Violation] {
        guard file.isUnder("Sources/Gateway"), excused[file.path] == nil, let index = firstBuffer(in: file) else {
            return []
        }
        let isBorrowed = file.code.contains { _, text in loans.contains { Words.contains($0, in: text) } }
        guard !isBorrowed else { return [] }
        return [
            Violation(
                path: file.path, line: index + 1,
                message: "keeps bytes or a queue: borrow for them (MemoryLoan), or give a reason in BufferRules.excused"
            )
        ]
    }
}
