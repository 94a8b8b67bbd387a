extension TransportWideFeedback {
    /// Writes a feedback for `arrivals.count` packets from `baseSequence` on.
    /// - Parameters:
    ///   - referenceTime: in units of 64 ms; its low 24 bits are sent.
    ///   - feedbackCount: grows by one with each feedback, so that the sender sees lost ones.
    ///   - arrivals: 1…`maximumPackets`, the first one received.
    /// - Throws: `malformed` for no arrivals, `tooLarge`, `noSpace`.
    static func write(
        senderSSRC: SSRC, mediaSSRC: SSRC, baseSequence: SequenceNumber, referenceTime: Int32, feedbackCount: UInt8,
        arrivals: [TransportWideArrival], into writer: inout ByteWriter
    ) throws(WireError) {
        guard !arrivals.isEmpty else { throw .malformed }
        guard arrivals.count <= maximumPackets else { throw .tooLarge }
        try writer.writeWhole { (writer) throws(WireError) in
            let start = try writer.beginRTCP(.transportFeedback, count: Int(RTCPFeedbackFormat.transportWide))
            try writer.writeUInt32(senderSSRC.rawValue)
            try writer.writeUInt32(mediaSSRC.rawValue)
            try writer.writeUInt16(baseSequence.rawValue)
            try writer.writeUInt16(UInt16(truncatingIfNeeded: arrivals.count))
            try writer.writeUInt24(UInt32(bitPattern: referenceTime))
            try writer.writeUInt8(feedbackCount)
            var index = 0
            while index < arrivals.count {
                let (chunk, count) = chunk(for: arrivals, from: index)
                try writer.writeUInt16(chunk.encoded)
                index += count
            }
            for case .received(let delta) in arrivals {
                if let small = UInt8(exactly: delta) {
                    try writer.writeUInt8(small)
                } else {
                    try writer.writeUInt16(UInt16(bitPattern: delta))
                }
            }
            // Zeros up to the word, without the padding bit: every receiver stops after the last delta, and the packet
            // may stand anywhere in a compound packet (RFC 3550 §6.4.1 allows the bit in the last one only).
            try writer.endRTCP(start)
        }
    }

    /// The chunk that says most about the packets from `index` on, and how many it covers.
    private static func chunk(
        for arrivals: [TransportWideArrival], from index: Int
    ) -> (TransportWideChunk, count: Int) {
        let left = arrivals.count - index
        let first = arrivals[index].symbol
        var run = 1
        while run < min(left, TransportWideChunk.maximumRun), arrivals[index + run].symbol == first { run += 1 }
        if run == left || run >= TransportWideChunk.oneBitCount {
            return (TransportWideChunk(run: run, of: first), run)
        }

        let oneBit = min(left, TransportWideChunk.oneBitCount)
        if arrivals[index..<index + oneBit].allSatisfy({ $0.symbol != .largeDelta }) {
            return (vector(arrivals[index..<index + oneBit], header: 0x8000, bits: 1), oneBit)
        }
        if run >= TransportWideChunk.twoBitCount { return (TransportWideChunk(run: run, of: first), run) }
        let twoBit = min(left, TransportWideChunk.twoBitCount)
        return (vector(arrivals[index..<index + twoBit], header: 0xC000, bits: 2), twoBit)
    }

    private static func vector(
        _ arrivals: ArraySlice<TransportWideArrival>, header: UInt16, bits: UInt16
    ) -> TransportWideChunk {
        var encoded = header
        var shift = 14 - bits
        for arrival in arrivals {
            encoded |= arrival.symbol.rawValue << shift
            shift &-= bits  // Wraps only behind the last symbol.
        }
        return TransportWideChunk(encoded: encoded)
    }
}
