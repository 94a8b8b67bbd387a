/// Takes a connection's bytes apart into STUN messages and frames of channel data (RFC 8656 §12.5): their first two bits say which
/// they are.
///
/// Memory: one frame that has not come whole, at most `TURNLimits.longestFrame` bytes, beside what was just appended.
package struct TURNStreamReader {
    /// What a client has sent.
    package enum Frame: Equatable {
        case message([UInt8])
        case channelData(channel: UInt16, [UInt8])
        /// More has to come.
        case incomplete
        /// Where frames begin is known no more.
        case malformed
    }

    private var bytes: [UInt8] = []
    private var start = 0
    private static let headerLength = 4

    package init() {}

    package mutating func append(_ new: some Collection<UInt8>) {
        bytes.removeFirst(start)
        start = 0
        bytes.append(contentsOf: new)
    }

    /// The next frame. Those of numbers that are reserved are passed over.
    package mutating func next() -> Frame {
        while bytes.count - start >= Self.headerLength {
            let (type, length) = (word(at: start), Int(word(at: start + 2)))
            let isMessage = type >> 14 == 0
            let total = isMessage ? STUNMessage.headerLength + length : Self.headerLength + (length + 3) / 4 * 4
            guard type >> 15 == 0, total <= TURNLimits.longestFrame else { return .malformed }
            guard bytes.count - start >= total else { return .incomplete }
            let first = start
            start += total
            if isMessage { return .message(Array(bytes[first..<first + total])) }
            guard TURNSession.channelNumbers.contains(type) else { continue }
            let payload = first + Self.headerLength
            return .channelData(channel: type, Array(bytes[payload..<payload + length]))
        }
        return .incomplete
    }

    /// A datagram is one of them, and channel data needs no padding there.
    package static func datagram(_ bytes: [UInt8]) -> Frame {
        guard bytes.count >= headerLength, bytes.count <= TURNLimits.longestFrame else { return .malformed }
        let type = UInt16(bytes[0]) << 8 | UInt16(bytes[1])
        if type >> 14 == 0 { return .message(bytes) }
        let length = Int(bytes[2]) << 8 | Int(bytes[3])
        guard TURNSession.channelNumbers.contains(type), bytes.count - headerLength >= length else { return .malformed }
        return .channelData(channel: type, Array(bytes[headerLength..<headerLength + length]))
    }

    private func word(at index: Int) -> UInt16 { UInt16(bytes[index]) << 8 | UInt16(bytes[index + 1]) }
}
