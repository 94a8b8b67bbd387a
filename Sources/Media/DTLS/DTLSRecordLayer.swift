/// The records of a DTLS 1.2 association after its handshake (RFC 6347 §4.1), with an AEAD suite: what libssl does with an
/// `SSL`, as a machine that can be written down and continued elsewhere.
///
/// A server's last flight is made again, with new record numbers, whenever the client repeats its Finished (RFC 6347
/// §4.2.4); so nothing has to be remembered for a time, and the `SSL` can go as soon as the handshake is complete.
// Safe: `seal` hands on the buffer behind the header's length, which it has.
struct DTLSRecordLayer: ~Copyable {
    /// The most a record may hold, in bytes (RFC 5246 §6.2.1).
    static let largestPayload = 16_384
    /// The handshake's records are epoch 0; nobody negotiates again here.
    static let epoch: UInt16 = 1

    private let keys: DTLSRecordKeys
    private var sealing: DTLSRecordCipher
    private var opening: DTLSRecordCipher
    /// The next record's number.
    private(set) var nextSequence: UInt64
    /// A record's nonce is this and its number: libssl begins anywhere and counts on, and so do we.
    private let nonceOffset: UInt64
    /// The next record's number in epoch 0, for a ChangeCipherSpec that is sent again.
    private var nextPlainSequence: UInt64
    /// Our Finished message, if ours was the last flight: as server. A client's is empty.
    private let finished: [UInt8]
    private var window: DTLSReplayWindow
    private(set) var counters = DTLSRecordCounters()

    /// `nil` when the keys do not have the lengths of their cipher.
    init?(restoring snapshot: Snapshot) {
        let keys = snapshot.keys
        guard keys.local.fits(keys.cipher), keys.remote.fits(keys.cipher) else { return nil }
        self.keys = keys
        sealing = DTLSRecordCipher(keys.cipher, key: keys.local, seals: true)
        opening = DTLSRecordCipher(keys.cipher, key: keys.remote, seals: false)
        nextSequence = snapshot.nextSequence
        nonceOffset = snapshot.nonceOffset
        nextPlainSequence = snapshot.nextPlainSequence
        finished = snapshot.finished
        window = snapshot.window
    }

    /// Everything that has to be known to continue elsewhere.
    var snapshot: Snapshot {
        Snapshot(
            keys: keys, nextSequence: nextSequence, nonceOffset: nonceOffset, nextPlainSequence: nextPlainSequence,
            finished: finished, window: window)
    }

    // MARK: Sending

    /// Appends one record in a datagram of its own. `false` when nothing may be sent: the payload is too long, the numbers
    /// are used up, or libcrypto failed.
    mutating func write(_ type: DTLSContentType, _ payload: [UInt8], to output: inout DatagramQueue) -> Bool {
        guard let record = sealed(type, payload) else { return false }
        return output.append(record)
    }

    /// Writes a record of application data to where it is sent from.
    /// - Parameter output: of a datagram's length at least.
    /// - Returns: the record's length; `nil` when nothing may be sent, or the record does not fit.
    mutating func seal(_ payload: UnsafeRawBufferPointer, into output: UnsafeMutableRawBufferPointer) -> Int? {
        guard payload.count <= Self.largestPayload, nextSequence <= DTLSRecordHeader.largestSequence,
            output.count >= DTLSRecordHeader.length
        else { return nil }
        var header = DTLSRecordHeader(
            type: .applicationData, epoch: Self.epoch, sequence: nextSequence, fragmentLength: payload.count)
        let nonce = nonceOffset &+ nextSequence
        nextSequence += 1
        let fragment = unsafe UnsafeMutableRawBufferPointer(rebasing: output[DTLSRecordHeader.length...])
        guard let count = unsafe sealing.seal(payload, header: header, nonce: nonce, into: fragment) else { return nil }
        header.fragmentLength = count
        unsafe header.write(to: output)
        return DTLSRecordHeader.length + count
    }

    private mutating func sealed(_ type: DTLSContentType, _ payload: [UInt8]) -> [UInt8]? {
        guard payload.count <= Self.largestPayload, nextSequence <= DTLSRecordHeader.largestSequence else { return nil }
        var header = DTLSRecordHeader(
            type: type, epoch: Self.epoch, sequence: nextSequence, fragmentLength: payload.count)
        let nonce = nonceOffset &+ nextSequence
        // Used up even if the record should come to nothing.
        nextSequence += 1
        guard let fragment = sealing.sealed(payload, header: header, nonce: nonce) else { return nil }
        header.fragmentLength = fragment.count
        return header.bytes + fragment
    }

    // MARK: Receiving

    /// Opens a datagram's records and appends what they mean and what is to be answered. Whatever is not the peer's, or was
    /// there before, is counted and nothing else.
    /// - Parameter isHandshakes: the records came while libssl still ran the handshake, which is what it answered.
    mutating func datagramReceived(
        _ datagram: UnsafeRawBufferPointer, isHandshakes: Bool = false, events: inout [DTLSRecordEvent],
        output: inout DatagramQueue
    ) {
        var offset = 0
        while offset < datagram.count {
            guard let header = unsafe DTLSRecordHeader(datagram, at: offset),
                let fragment = unsafe datagram.view(
                    from: offset + DTLSRecordHeader.length, count: header.fragmentLength)
            else {
                counters.malformed &+= 1
                return
            }
            offset += DTLSRecordHeader.length + fragment.count
            guard let type = DTLSContentType(rawValue: header.type), header.epoch == Self.epoch,
                header.version == DTLSRecordHeader.version
            else {
                counters.foreign &+= 1
                continue
            }
            guard let payload = unsafe opened(fragment, header) else { continue }
            switch type {
            case .applicationData: events.append(.applicationData(payload))
            case .alert:
                if let end = end(by: payload) { return events.append(end) }
            case .handshake where !isHandshakes: handshakeReceived(payload, events: &events, output: &output)
            case .handshake: break
            case .changeCipherSpec: counters.ignored &+= 1
            }
        }
    }

    private mutating func opened(_ fragment: UnsafeRawBufferPointer, _ header: DTLSRecordHeader) -> [UInt8]? {
        let count = fragment.count - keys.cipher.overhead
        guard count >= 0, count <= Self.largestPayload else {
            counters.malformed &+= 1
            return nil
        }
        guard window.isFresh(header.sequence) else {
            counters.replayed &+= 1
            return nil
        }
        guard let payload = unsafe opening.opened(fragment, header: header) else {
            counters.forged &+= 1
            return nil
        }
        window.record(header.sequence)
        return payload
    }

    private mutating func end(by payload: [UInt8]) -> DTLSRecordEvent? {
        let alert = DTLSAlert(payload)
        if alert?.description == DTLSAlert.closeNotify.description { return .closed }
        if let alert, alert.isFatal { return .failed(alert.description) }
        counters.ignored &+= 1
        return nil
    }

    /// A handshake message after the handshake: the peer's Finished once more, or the wish to negotiate again.
    private mutating func handshakeReceived(
        _ message: [UInt8], events: inout [DTLSRecordEvent], output: inout DatagramQueue
    ) {
        let (helloRequest, clientHello, clientFinished) = (0 as UInt8, 1 as UInt8, 20 as UInt8)
        let isServer = !finished.isEmpty
        switch message.first {
        case clientFinished where isServer:
            repeatLastFlight(to: &output)
            events.append(.lastFlightRepeated)
        case isServer ? clientHello : helloRequest:
            _ = write(.alert, DTLSAlert.noRenegotiation.bytes, to: &output)
        default:
            counters.ignored &+= 1
        }
    }

    private mutating func repeatLastFlight(to output: inout DatagramQueue) {
        guard nextPlainSequence <= DTLSRecordHeader.largestSequence, let protected = sealed(.handshake, finished) else {
            return
        }
        let header = DTLSRecordHeader(
            type: .changeCipherSpec, epoch: 0, sequence: nextPlainSequence, fragmentLength: 1)
        nextPlainSequence += 1
        _ = output.append(header.bytes + [1] + protected)
    }
}
