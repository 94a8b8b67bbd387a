/// One SSRC that a producer receives, with its retransmissions: decides what becomes of each packet, and what to ask of the
/// sender.
///
/// A machine without I/O. Give it every decrypted packet and do what the `IncomingStep` says; call `deadlineReached` and
/// `nacks.pollRequest` at `nextDeadline`.
struct IncomingStream: ~Copyable {
    let producer: Slot<ShardProducer>
    let encoding: Int
    /// Of the codec that is sent.
    private(set) var feedback: FeedbackSupport
    let kind: MediaKind
    private let scalability: ScalabilitySettings
    /// What was received: order, loss, jitter, reports.
    var received: ReceiveStream
    var nacks = NACKGenerator()
    var keyFrames: KeyFrameRequester
    var throttle: ReportThrottle
    var score: ReceiveScore
    var levels = AudioLevelBatch()
    var layerRates: LayerRates
    /// The command sequence number of the last FIR (RFC 5104 §4.3.1.1).
    private var fullIntraRequest: UInt8 = 0
    private var layers: LayerReader
    /// What consumers have to know before the encoding's packets reach them.
    private(set) var state = SourceEncodings.Encoding()

    init(
        producer: Slot<ShardProducer>, _ settings: ProducerSettings, encoding: Int, ssrc: SSRC,
        codec: ProducerCodec
    ) {
        self.producer = producer
        self.encoding = encoding
        feedback = codec.feedback
        kind = settings.kind
        scalability = settings.scalability
        let isOneOfSeveral = settings.encodings.count > 1
        received = ReceiveStream(
            ssrc: ssrc, clockRate: codec.clockRate,
            rateWindow: isOneOfSeveral ? .milliseconds(2500) : .seconds(1))
        layerRates = LayerRates(
            spatialLayers: scalability.spatialLayers, temporalLayers: scalability.temporalLayers,
            window: scalability.usesDTX ? .seconds(6) : .milliseconds(2500))
        score = ReceiveScore(isOneOfSeveral: isOneOfSeveral, usesDTX: scalability.usesDTX)
        keyFrames = KeyFrameRequester(delay: settings.keyFrameRequestDelay)
        throttle = ReportThrottle(kind: settings.kind)
        layers = LayerReader(codec: codec.codec, isKSVC: scalability.isKSVC)
    }

    // MARK: Packets

    /// A media packet arrived.
    /// - Parameters:
    ///   - payload: without padding.
    ///   - descriptor: the dependency descriptor, or nothing.
    mutating func packetArrived(
        _ header: RTPHeader, payload: UnsafeRawBufferPointer, descriptor: UnsafeRawBufferPointer, codec: CodecKind,
        at now: MediaInstant
    ) -> IncomingStep {
        var effects: IncomingStep.Effects = []
        let sequence: UInt64
        switch received.packetReceived(
            sequence: header.sequenceNumber.rawValue, timestamp: header.timestamp.rawValue,
            payloadLength: payload.count, at: now)
        {
        case .accept(let number): sequence = number
        case .resynchronized(let number):
            sequence = number
            nacks.reset()
            layers.reset()
            state = SourceEncodings.Encoding()
            effects.insert(.restarted)
            forceKeyFrame(at: now, &effects)
        case .duplicate, .tooOld: return IncomingStep(verdict: .drop(.duplicatePacket))
        case .discarded: return IncomingStep(verdict: .drop(.implausibleSequence))
        }
        if unsafe !payload.isEmpty, score.packetReceived(at: now) {
            effects.formUnion([.changesScore, .movesDeadline])
        }
        return unsafe accepted(
            sequence, payload: payload, descriptor: descriptor, codec: codec, isRecovered: false, effects, at: now)
    }

    /// An RTX packet arrived (RFC 4588 §4).
    /// - Parameters:
    ///   - sequence: its own number.
    ///   - original: the number of the packet that it repeats, whose payload and descriptor the others are; `nil` for one
    ///     that carries nothing.
    mutating func retransmissionArrived(
        _ sequence: UInt16, of original: UInt16?, payload: UnsafeRawBufferPointer, descriptor: UnsafeRawBufferPointer,
        codec: CodecKind, at now: MediaInstant
    ) -> IncomingStep {
        guard let original else {
            received.paddingReceived(rtxSequence: sequence, at: now)
            return IncomingStep(verdict: .drop(.uselessRetransmission))
        }
        let arrival = received.retransmissionReceived(
            sequence: sequence, originalSequence: original, payloadLength: payload.count, at: now)
        guard case .accept(let extended) = arrival else {
            return IncomingStep(verdict: .drop(.uselessRetransmission))
        }
        return unsafe accepted(
            extended, payload: payload, descriptor: descriptor, codec: codec, isRecovered: true, [], at: now)
    }

    /// A packet goes on: key frames, repair, layers.
    private mutating func accepted(
        _ sequence: UInt64, payload: UnsafeRawBufferPointer, descriptor: UnsafeRawBufferPointer, codec: CodecKind,
        isRecovered: Bool, _ before: IncomingStep.Effects, at now: MediaInstant
    ) -> IncomingStep {
        var effects = before
        let isKeyFrame = unsafe RoundhouseMedia.isKeyFrame(codec: codec, payload: payload)
        if isKeyFrame {
            received.keyFrameReceived()
            keyFrames.keyFrameReceived(at: now)
        }
        if feedback.contains(.nack) {
            let action = nacks.packetReceived(
                extended: sequence, isKeyFrame: isKeyFrame, isRecovered: isRecovered, at: now)
            if action == .requestKeyFrame { forceKeyFrame(at: now, &effects) }
            if nacks.count > 0 { effects.insert(.movesDeadline) }
        }
        let layers = unsafe readLayers(
            of: payload, descriptor: descriptor, codec: codec, sequence: sequence, &effects, at: now)
        layerRates.add(layers, bytes: payload.count, at: now)
        return IncomingStep(
            verdict: .forward(
                IncomingPacket(
                    sequence: sequence, isRecovered: isRecovered, isKeyFrame: isKeyFrame, layers: layers)),
            effects: effects)
    }

    /// Finds a packet's layers, once for all consumers.
    private mutating func readLayers(
        of payload: UnsafeRawBufferPointer, descriptor: UnsafeRawBufferPointer, codec: CodecKind, sequence: UInt64,
        _ effects: inout IncomingStep.Effects, at now: MediaInstant
    ) -> PacketLayers {
        guard unsafe !payload.isEmpty else { return PacketLayers() }
        let timeout = scalability.usesDTX ? SourceEncodings.timeoutWithDTX : SourceEncodings.timeout
        let isBack = state.packetReceived(within: timeout, isOnly: false, at: now)
        if isBack, keyFrames.isPending {
            keyFrames.senderReturned(at: now)
            effects.insert(.movesDeadline)
        }
        if layers.codec != codec { layers = LayerReader(codec: codec, isKSVC: scalability.isKSVC) }
        return unsafe layers.read(payload: payload, descriptor: descriptor, sequence: sequence)
    }

    // MARK: Key frames

    /// What is sent needs a key frame now, whoever waits.
    /// - Returns: whether to request it now.
    mutating func forceKeyFrame(at now: MediaInstant) -> Bool { kind == .video && keyFrames.forced(at: now) }

    private mutating func forceKeyFrame(at now: MediaInstant, _ effects: inout IncomingStep.Effects) {
        if forceKeyFrame(at: now) { effects.insert(.requestsKeyFrame) }
        effects.insert(.movesDeadline)
    }

    /// How the sender is asked for a key frame: by PLI where negotiated, else by FIR; `nil` where neither is.
    mutating func makeKeyFrameRequest() -> KeyFrameRequest? {
        if feedback.contains(.pictureLossIndication) {
            received.pliSent()
            return .pictureLossIndication
        }
        guard feedback.contains(.fullIntraRequest) else { return nil }
        received.firSent()
        fullIntraRequest &+= 1
        return .fullIntraRequest(fullIntraRequest)
    }

    enum KeyFrameRequest {
        /// RFC 4585 §6.3.1.
        case pictureLossIndication
        /// With its command sequence number (RFC 5104 §4.3.1).
        case fullIntraRequest(UInt8)
    }

    /// The sender changed to another of its codecs.
    mutating func codecChanged(to codec: ProducerCodec) {
        feedback = codec.feedback
        received.codecChanged(clockRate: codec.clockRate)
    }

    // MARK: State and time

    /// The encoding's sender reported.
    mutating func stateAdvanced() { state.report = received.senderReport }

    /// The score as consumers' selection has to know it.
    /// - Returns: whether it changed.
    mutating func publishScore(_ score: UInt8) -> Bool {
        guard state.score != score else { return false }
        state.score = score
        return true
    }

    mutating func paused() {
        nacks.reset()
        keyFrames.reset()
        score.paused()
    }

    /// - Returns: whether to request a key frame now.
    mutating func resumed(at now: MediaInstant) -> Bool {
        score.resumed(at: now)
        return forceKeyFrame(at: now)
    }

    /// The earliest time at which `deadlineReached` or `nacks.pollRequest` has something to do.
    var nextDeadline: MediaInstant? {
        earliest(earliest(nacks.nextDeadline, keyFrames.nextDeadline), score.nextDeadline)
    }

    mutating func deadlineReached(at now: MediaInstant) -> IncomingStep.Effects {
        var effects: IncomingStep.Effects = []
        if let deadline = keyFrames.nextDeadline, deadline <= now, keyFrames.deadlineReached(at: now) {
            effects.insert(.requestsKeyFrame)
        }
        if score.deadlineReached(at: now) { effects.insert(.changesScore) }
        return effects
    }
}

// MARK: Snapshot

extension IncomingStream: Restorable {
    init(restoring reader: inout SnapshotReader) throws(WireError) {
        try reader.readVersion(1)
        let producer: Slot<ShardProducer> = try reader.read()
        let encoding = Int(try reader.read(in: 0...UInt8(SourceEncodings.capacity - 1)))
        let feedback = FeedbackSupport(rawValue: try reader.readUInt8())
        let kind: MediaKind = try reader.read()
        let scalability: ScalabilitySettings = try reader.read()
        let received: ReceiveStream = try reader.read()
        let nacks: NACKGenerator = try reader.read()
        let keyFrames: KeyFrameRequester = try reader.read()
        let throttle: ReportThrottle = try reader.read()
        let score: ReceiveScore = try reader.read()
        let levels: AudioLevelBatch = try reader.read()
        let layerRates: LayerRates = try reader.read()
        let fullIntraRequest = try reader.readUInt8()
        let layers: LayerReader = try reader.read()
        let state: SourceEncodings.Encoding = try reader.read()
        self.producer = producer
        self.encoding = encoding
        self.feedback = feedback
        self.kind = kind
        self.scalability = scalability
        self.received = received
        self.nacks = nacks
        self.keyFrames = keyFrames
        self.throttle = throttle
        self.score = score
        self.levels = levels
        self.layerRates = layerRates
        self.fullIntraRequest = fullIntraRequest
        self.layers = layers
        self.state = state
    }

    func write(to writer: inout SnapshotWriter) {
        writer.writeUInt8(1)
        writer.write(producer)
        writer.writeUInt8(UInt8(truncatingIfNeeded: encoding))
        writer.writeUInt8(feedback.rawValue)
        writer.write(kind)
        writer.write(scalability)
        writer.write(received)
        writer.write(nacks)
        writer.write(keyFrames)
        writer.write(throttle)
        writer.write(score)
        writer.write(levels)
        writer.write(layerRates)
        writer.writeUInt8(fullIntraRequest)
        writer.write(layers)
        writer.write(state)
    }
}
