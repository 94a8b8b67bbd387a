// Safe: records are taken apart by `DTLSRecordHeader` and `view`, which check every length.

/// What passed between libssl and the network in one handshake, as far as a record layer has to know it that continues:
/// the record numbers and nonces libssl used, and the protected records it was given. Headers are in the clear in DTLS 1.2.
struct DTLSRecordTrace {
    /// Protected records kept at most; a peer sends one or two before the handshake is complete.
    static let keptRecords = 16
    /// Longer ones are not kept.
    static let longestRecord = 2048

    /// One more than the highest record number written in epoch 0.
    private(set) var nextPlainSequence: UInt64 = 0
    /// One more than the highest record number written in epoch 1.
    private(set) var nextSequence: UInt64 = 0
    /// What libssl's explicit nonces are larger than the record numbers; `nil` before the first.
    private(set) var nonceOffset: UInt64?
    /// Whether the record numbers of epoch 1 only grew.
    private(set) var isSteady = true
    /// Whether every explicit nonce was as much larger than its record number as the others.
    private(set) var hasSteadyNonces = true
    /// The last protected handshake record written: our Finished.
    private(set) var finished: [UInt8] = []
    /// The protected records received, in order.
    private(set) var received: [[UInt8]] = []

    /// Notes a datagram that libssl wrote.
    mutating func written(_ datagram: UnsafeRawBufferPointer) {
        unsafe forEachRecord(of: datagram) { trace, header, record in
            if header.epoch == 0 {
                trace.nextPlainSequence = max(trace.nextPlainSequence, header.sequence + 1)
                return
            }
            guard header.epoch == DTLSRecordLayer.epoch, header.sequence >= trace.nextSequence,
                header.fragmentLength >= 8
            else {
                trace.isSteady = false
                return
            }
            trace.nextSequence = header.sequence + 1
            let start = DTLSRecordHeader.length
            let nonce = unsafe UInt64(record.uint32(provenAt: start)) << 32 | UInt64(record.uint32(provenAt: start + 4))
            let offset = nonce &- header.sequence
            // A cipher without an explicit nonce has ciphertext there; whoever continues knows which it is.
            if let known = trace.nonceOffset, known != offset { trace.hasSteadyNonces = false }
            trace.nonceOffset = offset
            if header.type == DTLSContentType.handshake.rawValue { trace.finished = unsafe Array(record) }
        }
    }

    /// Notes a datagram that libssl is given.
    mutating func arrived(_ datagram: UnsafeRawBufferPointer) {
        unsafe forEachRecord(of: datagram) { trace, header, record in
            guard header.epoch == DTLSRecordLayer.epoch, trace.received.count < Self.keptRecords,
                record.count <= Self.longestRecord
            else { return }
            unsafe trace.received.append(Array(record))
        }
    }

    /// Forgets the records received and returns them.
    mutating func takeReceived() -> [[UInt8]] {
        defer { received = [] }
        return received
    }

    /// Our own Finished message, read with the keys we would go on with: which shows that they are libssl's. `nil` when
    /// they are not.
    func openedFinished(with keys: DTLSRecordKeys) -> [UInt8]? {
        var opening = DTLSRecordCipher(keys.cipher, key: keys.local, seals: false)
        let message = unsafe finished.withUnsafeBytes { record -> [UInt8]? in
            guard let header = unsafe DTLSRecordHeader(record, at: 0),
                let fragment = unsafe record.view(from: DTLSRecordHeader.length, count: header.fragmentLength)
            else { return nil }
            return unsafe opening.opened(fragment, header: header)
        }
        guard let message, message.first == 20, message.count <= 255 else { return nil }
        return message
    }

    private mutating func forEachRecord(
        of datagram: UnsafeRawBufferPointer,
        _ body: (inout DTLSRecordTrace, DTLSRecordHeader, UnsafeRawBufferPointer) -> Void
    ) {
        var offset = 0
        while let header = unsafe DTLSRecordHeader(datagram, at: offset),
            let record = unsafe datagram.view(from: offset, count: DTLSRecordHeader.length + header.fragmentLength)
        {
            unsafe body(&self, header, record)
            offset += record.count
        }
    }
}
