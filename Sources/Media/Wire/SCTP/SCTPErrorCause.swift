/// Causes of ERROR and ABORT (RFC 9260 §3.3.10), as the numbers on the wire.
enum SCTPErrorCause {
    static let invalidStream: UInt16 = 1
    static let missingParameter: UInt16 = 2
    static let staleCookie: UInt16 = 3
    static let outOfResource: UInt16 = 4
    static let unrecognizedChunk: UInt16 = 6
    static let invalidParameter: UInt16 = 7
    static let unrecognizedParameters: UInt16 = 8
    static let noUserData: UInt16 = 9
    static let cookieWhileShuttingDown: UInt16 = 10
    static let userAbort: UInt16 = 12
    static let protocolViolation: UInt16 = 13

    /// The first cause of an ABORT or ERROR; `nil` without one, or with one that is damaged.
    static func first(in chunk: SCTPChunkView) -> UInt16? {
        var causes = unsafe SCTPParameterIterator(chunk.value)
        return (try? causes.next())?.type
    }

    /// Whether an ERROR has this cause among its first eight.
    static func isPresent(_ cause: UInt16, in chunk: SCTPChunkView) -> Bool {
        var causes = unsafe SCTPParameterIterator(chunk.value)
        for _ in 0..<8 {
            guard let next = (try? causes.next()) ?? nil else { return false }
            if next.type == cause { return true }
        }
        return false
    }
}
