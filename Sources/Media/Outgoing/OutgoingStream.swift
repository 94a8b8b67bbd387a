/// One consumer's stream: decides which packets of its producer are sent, and what they are numbered.
///
/// A machine without I/O. A shard gives it packets in order of their arrival and does what each `OutgoingStep` says; what
/// was really sent comes back by `packetSent`. The feed is the producer's side: its cache, and when its key frames came.
///
///     stopped ──started──▶ awaitingKeyFrame ──key frame──▶ flowing ◀──level── catchingUp
///        ▲                        │  cached key frame ────────────────────────────▲
///        └───────stopped, whatever it was──┘
struct OutgoingStream: ~Copyable {
    enum Flow {
        /// Paused by itself or by its producer, or the transport has no keys yet.
        case stopped
        /// Waits for a packet at which decoding can start.
        case awaitingKeyFrame
        /// Is sent the newest group of pictures from its beginning, faster than it was received, and nothing newer yet.
        case catchingUp
        case flowing
    }

    let ssrc: UInt32
    let kind: MediaKind
    /// Opus packets of silence are left out.
    let ignoresDTX: Bool
    let canRetransmit: Bool
    private(set) var flow = Flow.stopped
    /// Selects layers; `nil` where the only stream is forwarded whole, untouched.
    private var selection: Box<LayerSelection>?
    /// Whether the newest packet sent was not its picture's last one.
    private var isInsideFrame = false
    /// Of a stream that is forwarded whole: the newest packet that came before the key frame it waits for.
    private var newestHeld: UInt64 = 0
    /// Of one that catches up: the number of the cached packet that is sent next.
    var nextCached: UInt64 = 0
    var wish = KeyFrameWish()
    private var sequence: SequenceRewriter
    private var timestamps: TimestampRewriter
    /// The first number of the current source: older ones had other timestamps and are not sent again, because the same
    /// number with other bytes would reuse an SRTP nonce.
    private var firstResendable: UInt64 = 0
    /// What was sent: counters, reports, limits of retransmission.
    var sent: SendStream
    private let codecs: [ConsumerCodec]
    /// Bit p: payload type p is accepted.
    private let accepted: InlineArray<2, UInt64>
    /// Bit p: packets of payload type p are sent again as they were.
    private let repeated: InlineArray<2, UInt64>

    /// - Parameters:
    ///   - firstSequence: random, below 2^15, so that a lost first packet cannot hide a roll-over (RFC 3711 §3.3.1).
    ///   - firstRTXSequence: likewise.
    init(_ settings: ConsumerSettings, firstSequence: UInt16, firstRTXSequence: UInt16) {
        ssrc = settings.ssrc.rawValue
        kind = settings.kind
        canRetransmit = settings.codecs.contains { $0.feedback.contains(.nack) }
        ignoresDTX = settings.ignoresDTX && settings.kind == .audio
        let selection = LayerSelection(
            codec: settings.codecs.first?.codec ?? .other, encodings: settings.encodings.count, settings.scalability,
            preferred: settings.preferredLayers)
        self.selection = selection.hasLayers ? Box(selection) : nil
        sequence = SequenceRewriter(firstOutput: UInt64(firstSequence))
        let clockRate = settings.codecs.first?.clockRate ?? 90_000
        timestamps = TimestampRewriter(clockRate: clockRate)
        sent = SendStream(
            ssrc: settings.ssrc, rtxSSRC: settings.rtxSSRC, clockRate: clockRate, firstRTXSequence: firstRTXSequence)
        codecs = settings.codecs
        accepted = Self.payloadTypes(of: settings.codecs)
        repeated = Self.repeatedPayloadTypes(of: settings.codecs, hasRTX: settings.rtxSSRC != nil)
    }

    /// A bit for each payload type.
    private static func payloadTypes(of codecs: [ConsumerCodec]) -> InlineArray<2, UInt64> {
        var bits = InlineArray<2, UInt64>(repeating: 0)
        for codec in codecs { bits[Int(codec.payloadType >> 6) & 1] |= 1 << UInt64(codec.payloadType & 63) }
        return bits
    }

    private static func repeatedPayloadTypes(of codecs: [ConsumerCodec], hasRTX: Bool) -> InlineArray<2, UInt64> {
        payloadTypes(of: codecs.filter { $0.repair(hasRTX: hasRTX) == .asItWas })
    }

    /// Whether a packet's header may hold what depends on when it is sent.
    @inline(__always)
    func mayTellTime(_ outgoing: OutgoingPacket) -> Bool {
        repeated[Int(outgoing.payloadType >> 6) & 1] & (1 << UInt64(outgoing.payloadType & 63)) == 0
    }

    /// Whether the consumer gets some of its source's layers, or renamed pictures.
    var selectsLayers: Bool {
        switch selection {
        case .some: true
        case .none: false
        }
    }

    @inline(__always)
    private func ofSelection<Result>(_ read: (LayerSelection) -> Result?) -> Result? {
        switch selection {
        case .some(let selection): read(selection.value)
        case .none: nil
        }
    }

    // MARK: What it is

    var clockRate: UInt32 { codecs.first?.clockRate ?? 90_000 }

    /// The codec that the consumer prefers, which is its producer's.
    var codec: CodecKind { codecs.first?.codec ?? .other }

    /// Whether the consumer negotiated a (router's) payload type.
    func accepts(_ payloadType: UInt8) -> Bool {
        accepted[Int(payloadType >> 6) & 1] & (1 << UInt64(payloadType & 63)) != 0
    }

    /// How packets of a media payload type are sent again.
    private func repair(of payloadType: UInt8) -> PacketRepair {
        for codec in codecs where codec.payloadType == payloadType {
            return codec.repair(hasRTX: sent.rtxSSRC != nil)
        }
        return .none
    }

    /// Whether something is being sent.
    var hasBegun: Bool {
        switch flow {
        case .stopped, .awaitingKeyFrame: false
        case .catchingUp, .flowing: true
        }
    }

    /// Whether nothing was sent yet.
    var isNew: Bool { sent.highestExtended == nil }

    /// The encoding that is being sent; `nil` while none is.
    var currentEncoding: Int? {
        guard hasBegun else { return nil }
        switch selection {
        case .some(let selection): return selection.value.currentEncoding
        case .none: return 0
        }
    }

    /// The last of the held packets that follow the one that got `begin`.
    var heldThrough: UInt64 { ofSelection { $0.heldThrough } ?? newestHeld }

    /// What is to be reported of what is being sent; `nil` while there is nothing.
    func makeSenderReport(
        of feed: borrowing ProducerFeed, at now: MediaInstant, ntp: UInt64
    ) -> SenderReportValues? {
        guard case .flowing = flow, let currentEncoding else { return nil }
        return sent.makeSenderReport(
            at: now, ntp: ntp, by: feed.encodings.report(of: currentEncoding), offset: timestamps.currentOffset)
    }

    // MARK: Flow

    /// May send from now on, beginning with a key frame.
    mutating func start() {
        restart()
        flow = .awaitingKeyFrame
    }

    /// Sends nothing until `start`.
    mutating func stop(_ feed: borrowing ProducerFeed) {
        flow = .stopped
        settleWishes(feed)
        restart()
        sent.paused()
    }

    /// Begins with a key frame again, behind what was sent.
    private mutating func restart() {
        newestHeld = 0
        selection?.value.restart()
        if hasBegun { flow = .awaitingKeyFrame }
    }

    /// The numbers go on with what the cache holds from `first` on, in base layers only.
    mutating func beginCached(from first: UInt64) {
        nextCached = first
        selection?.value.limitToBase(true)
    }

    /// More of the cache is sent now, as if it arrived.
    mutating func resumeCached() {
        if case .catchingUp = flow { flow = .flowing }
    }

    /// The rest of the cache is sent later: what arrives meanwhile waits behind it.
    mutating func pauseCached() { flow = .catchingUp }

    /// From here on the consumer gets what arrives, in the layers that it prefers.
    mutating func caughtUp() { selection?.value.limitToBase(false) }

    /// A different producer's packets come from now on.
    /// - Parameter newest: of the old producer, where the pictures' numbers stood.
    mutating func switchSource(_ settings: SourceSettings, newest: PacketLayers) {
        var pictures = selection?.value.pictures ?? PictureIDRewriter()
        // Pictures get new numbers from here on, behind the numbers of a source that kept its own.
        if !pictures.isSynchronized, codec == .vp8, newest.flags.numbersPictures {
            pictures.synchronize(newest)
            _ = pictures.rewrite(newest)
        }
        restart()
        wish.sourceChanged()
        var next = LayerSelection(
            codec: codec, encodings: settings.encodings.count, settings.scalability,
            preferred: selection?.value.preferred)
        next.pictures = pictures
        selection = next.hasLayers || pictures.isSynchronized ? Box(next) : nil
    }

    // MARK: Layers

    /// The encoding to send may have changed.
    mutating func updateTarget(_ encodings: borrowing SourceEncodings, at now: MediaInstant) {
        selection?.value.updateTarget(encodings, at: now)
    }

    /// Layers to send at most.
    /// - Returns: `false` for a stream without layers.
    mutating func prefer(_ layers: ConsumerLayers) -> Bool {
        guard selection?.value.hasLayers == true else { return false }
        selection?.value.prefer(layers)
        return true
    }

    /// Layers that the receiver's network carries.
    /// - Returns: whether that is new.
    mutating func allow(_ layers: LayerPosition) -> Bool { selection?.value.allow(layers) ?? false }

    /// The choices that the receiver's network decides between.
    func makeLadder(_ feed: inout ProducerFeed, at now: MediaInstant) -> LayerLadder {
        switch selection {
        case .some(let selection):
            return selection.value.makeLadder(rates: &feed.rates, source: feed.encodings, at: now)
        case .none:
            var ladder = LayerLadder()
            ladder.addWhole(rates: &feed.rates, at: now)
            return ladder
        }
    }

    mutating func encodingRestarted(_ encoding: Int) { selection?.value.encodingRestarted(encoding) }

    /// The layers sent now, if they changed since the last call.
    mutating func pollLayers() -> (isChanged: Bool, layers: ConsumerLayers?) {
        selection?.value.pollChange() ?? (false, nil)
    }

    // MARK: Key frames

    /// The highest encoding of its source that it names.
    var highestEncoding: Int { ofSelection { $0.highestEncoding } ?? 0 }

    /// The encoding a receiver means that asks for a key frame.
    var mainEncoding: Int { ofSelection { $0.mainEncoding } ?? 0 }

    /// The encoding whose key frame would bring what the consumer waits for.
    var wantedKeyFrame: Int? {
        switch flow {
        case .stopped, .catchingUp: nil
        case .awaitingKeyFrame:
            ofSelection { $0.hasEncodings } == true ? ofSelection { $0.wantedKeyFrame } : 0
        case .flowing: ofSelection { $0.wantedKeyFrame }
        }
    }

    /// Closes wishes that have been granted or have become pointless.
    mutating func settleWishes(_ feed: borrowing ProducerFeed) {
        let isStopped = if case .stopped = flow { true } else { false }
        if let encoding = wish.encoding(of: .start), encoding != wantedKeyFrame {
            wish.close(.start, keyFrame: feed.lastKeyFrame(of: encoding))
        }
        if let encoding = wish.encoding(of: .receiver) {
            let keyFrame = feed.lastKeyFrame(of: encoding)
            let isOther = encoding != currentEncoding ?? wantedKeyFrame ?? encoding
            if isStopped || isOther || wish.isGranted(.receiver, by: keyFrame) {
                wish.close(.receiver, keyFrame: keyFrame)
            }
        }
    }

    /// What a key frame is for that it has to have.
    var urgency: KeyFrameRequester.Urgency { isNew ? .joining : .change }

    /// What a key frame of other layers is for. One that has just begun still joins: a page knows how large it shows a
    /// picture once it shows it, and a crowd of them asks one by one.
    func urgencyOfLayers(at now: MediaInstant) -> KeyFrameRequester.Urgency {
        if let end = ofSelection({ $0.joinGraceEnd }), now < end { .joining } else { urgency }
    }
}

// MARK: Packets

extension OutgoingStream {
    /// Half a cycle: beyond it a receiver cannot tell the roll-over counter.
    private static let maximumSequenceJump: UInt64 = 0x8000

    /// A packet of the producer arrived. What stands here is the way of a plain stream that flows.
    @inline(__always)
    mutating func packetArrived(
        _ packet: PreparedPacket, hasMarker: Bool, of feed: borrowing ProducerFeed, at now: MediaInstant
    ) -> OutgoingStep {
        if case .stopped = flow { return .drop }
        guard accepts(packet.payloadType) else { return .refuse(.unknownPayloadType) }
        guard case .flowing = flow, !selectsLayers, !exceedsSequenceWindow(packet.sequence) else {
            return select(packet, hasMarker: hasMarker, of: feed, at: now)
        }
        if drops(packet) {
            sequence.drop(packet.sequence)
            return .drop
        }
        guard let index = sequence.rewrite(packet.sequence) else { return .drop }
        let timestamp = timestamps.rewrite(packet.timestamp, at: now)
        return .send(
            OutgoingPacket(
                ssrc: ssrc, index: index, timestamp: timestamp, payloadType: packet.payloadType, hasMarker: hasMarker))
    }

    /// A packet for a consumer that waits for a key frame, or gets only some of its source's layers.
    @inline(never)
    private mutating func select(
        _ packet: PreparedPacket, hasMarker: Bool, of feed: borrowing ProducerFeed, at now: MediaInstant
    ) -> OutgoingStep {
        if case .catchingUp = flow { return arrivedWhileCatchingUp(packet) }
        if drops(packet) {
            if isSending(encoding: Int(packet.encoding)), !exceedsSequenceWindow(packet.sequence) {
                sequence.drop(packet.sequence)
            }
            return .drop
        }
        let offset = timestamps.currentOffset
        var decision = decide(packet, of: feed, at: now)
        if decision.isOfCurrent, exceedsSequenceWindow(packet.sequence) {
            // The sender restarted its numbering. Following it would change the roll-over counter behind the receiver's back
            // (RFC 3711 §3.3.1): splice the new numbers to the old ones, as after a pause.
            restart()
            decision = decide(packet, of: feed, at: now)
        }
        switch decision.action {
        case .discard: return numberLate(packet, hasMarker: hasMarker)
        case .hold:
            let isStarting = if case .awaitingKeyFrame = flow { true } else { false }
            return .awaitKeyFrame(isStarting: isStarting)
        case .drop:
            guard packet.sequence >= sequence.nextInput else { return numberPaddingOnly(packet, at: now) }
            selection?.value.pictures.drop(packet.layers)
            sequence.drop(packet.sequence)
            return .drop
        case .begin:
            let isScoreReset = begin(packet, previousOffset: offset, of: feed, at: now)
            let step = number(packet, hasMarker: hasMarker || decision.setsMarker, at: now)
            guard case .send(let first) = step else { return step }
            return .begin(first, isScoreReset: isScoreReset)
        case .forward: return number(packet, hasMarker: hasMarker || decision.setsMarker, at: now)
        }
    }

    private mutating func decide(
        _ packet: PreparedPacket, of feed: borrowing ProducerFeed, at now: MediaInstant
    ) -> LayerDecision {
        let canStart = packet.isKeyFrame || !packet.codec.hasKeyFrames
        return selection?.value.packetReceived(
            packet, canStart: canStart, source: feed.encodings, timestamps: &timestamps, at: now)
            ?? decideWhole(packet.sequence, canStart: canStart)
    }

    /// Of a stream that is forwarded whole: held until a key frame begins, then forwarded.
    private mutating func decideWhole(_ number: UInt64, canStart: Bool) -> LayerDecision {
        if case .flowing = flow { return .forward }
        let isStart = canStart && newestHeld <= number &+ EncodingSelector.longestHold
        newestHeld = max(newestHeld, number)
        return isStart ? .begin : .hold
    }

    /// A (new) source or encoding begins: its numbers, timestamps and pictures continue those before.
    /// - Returns: whether the score of what was sent before is reset by that.
    private mutating func begin(
        _ packet: PreparedPacket, previousOffset: UInt32, of feed: borrowing ProducerFeed, at now: MediaInstant
    ) -> Bool {
        // A number left out shows the receiver that the picture before the switch was cut, if it was.
        let isCut = packet.codec.hasKeyFrames && isInsideFrame
        let (oldSource, endInput) = (sequence.source ?? 0, sequence.nextInput)
        sequence.synchronize(at: packet.sequence, source: packet.encoding, gap: isCut ? 1 : 0)
        let first = sequence.nextOutput
        var isScoreReset = false
        // An encoding's selector has moved the timestamps itself.
        if selection?.value.hasEncodings != true { timestamps.switchSource(first: packet.timestamp, at: now) }
        if isNew { selection?.value.joinGraceEnd = now + LayerSelection.joinGracePeriod }
        if case .flowing = flow, let current = ofSelection({ (firstOutput: $0.firstOutput, pictures: $0.pictures) }) {
            isScoreReset = sent.encodingSwitched()
            // From encoding to encoding: what was lost before the switch can still be had.
            firstResendable = current.firstOutput
            selection?.value.previous = LayerSelection.Previous(
                encoding: oldSource, endInput: endInput, timestampOffset: previousOffset, pictures: current.pictures)
        } else {
            firstResendable = first
            selection?.value.previous = nil
        }
        selection?.value.firstOutput = first
        if packet.layers.flags.numbersPictures { selection?.value.pictures.synchronize(packet.layers) }
        flow = .flowing
        settleWishes(feed)
        return isScoreReset
    }

    /// Numbers a packet of what is being sent.
    private mutating func number(_ packet: PreparedPacket, hasMarker: Bool, at now: MediaInstant) -> OutgoingStep {
        var pictureIDs: PictureIDRewriter.Rewritten?
        if selectsLayers, packet.codec == .vp8, packet.layers.flags.numbersPictures {
            pictureIDs = selection?.value.pictures.rewrite(packet.layers)
            if pictureIDs == nil {
                // A picture that was left out; or the sender renumbers its pictures, which a key frame may.
                guard packet.sequence >= sequence.nextInput else {
                    return selection?.value.pictures.isOmitted(packet.layers) == true
                        ? numberPaddingOnly(packet, at: now) : .drop
                }
                guard packet.isKeyFrame else {
                    sequence.drop(packet.sequence)
                    return .requestKeyFrame(encoding: Int(packet.encoding))
                }
                // Under their numbers the packets before would get other picture IDs now.
                firstResendable = sequence.nextOutput
                selection?.value.pictures.synchronize(packet.layers)
                pictureIDs = selection?.value.pictures.rewrite(packet.layers)
            }
        }
        guard let index = sequence.rewrite(packet.sequence) else { return .drop }
        let timestamp = timestamps.rewrite(packet.timestamp, at: now)
        return .send(
            OutgoingPacket(
                ssrc: ssrc, index: index, timestamp: timestamp, payloadType: packet.payloadType, hasMarker: hasMarker,
                pictureIDs: pictureIDs))
    }

    /// Numbers a packet that came after the switch away from its encoding, and is missing in what was sent before.
    private mutating func numberLate(_ packet: PreparedPacket, hasMarker: Bool) -> OutgoingStep {
        guard case .flowing = flow, let previous = selection?.value.previous,
            previous.encoding == packet.encoding, packet.sequence < previous.endInput,
            let index = sequence.lateOutput(packet.sequence, ofPreviousSource: packet.encoding)
        else { return .drop }
        var outgoing = OutgoingPacket(
            ssrc: ssrc, index: index, timestamp: packet.timestamp &+ previous.timestampOffset,
            payloadType: packet.payloadType, hasMarker: hasMarker)
        if packet.codec == .vp8, packet.layers.flags.numbersPictures {
            var pictures = previous.pictures
            outgoing.pictureIDs = pictures.rewrite(packet.layers)
            if outgoing.pictureIDs == nil {
                guard previous.pictures.isOmitted(packet.layers) else { return .drop }
                outgoing.isPaddingOnly = true
                outgoing.hasMarker = false
            }
        }
        return .send(outgoing)
    }

    /// Numbers padding in place of a packet that came late and is not wanted: a receiver takes the number that was left for
    /// it for a loss, asks for it, and reports it.
    private mutating func numberPaddingOnly(_ packet: PreparedPacket, at now: MediaInstant) -> OutgoingStep {
        guard let index = sequence.rewrite(packet.sequence) else { return .drop }
        return .send(
            OutgoingPacket(
                ssrc: ssrc, index: index, timestamp: timestamps.rewrite(packet.timestamp, at: now),
                payloadType: packet.payloadType, hasMarker: false, isPaddingOnly: true))
    }

    private mutating func arrivedWhileCatchingUp(_ packet: PreparedPacket) -> OutgoingStep {
        guard Int(packet.encoding) == currentEncoding ?? 0 else { return .drop }
        let isMissing = packet.sequence < nextCached
        guard isMissing || packet.sequence - nextCached >= UInt64(RetransmissionBuffer.maxPackets) else {
            return .catchUp(.sendCached)
        }
        flow = .flowing
        return .catchUp(isMissing ? .sendMissing : .leaveCache)
    }

    /// A packet was sent as this stream had decided.
    /// - Parameter hadMarker: the RTP marker as it was received.
    @inline(__always)
    mutating func packetSent(
        _ outgoing: OutgoingPacket, of packet: PreparedPacket, hadMarker: Bool, at now: MediaInstant
    ) {
        var payloadLength = 0
        if !outgoing.isPaddingOnly {
            if outgoing.index == sequence.highestOutput { isInsideFrame = !outgoing.hasMarker }
            payloadLength = Int(packet.payloadLength) - Int(packet.paddingLength)
        }
        selection?.value.packetSent(
            output: outgoing.index,
            outgoing.isPaddingOnly ? .paddingOnly : outgoing.hasMarker && !hadMarker ? .marker : .none)
        sent.packetSent(
            extended: outgoing.index, timestamp: outgoing.timestamp, payloadLength: payloadLength, at: now)
    }

    /// Whether a packet of the current source is numbered further on than any loss explains.
    private func exceedsSequenceWindow(_ number: UInt64) -> Bool {
        sequence.isSynchronized && number > sequence.nextInput
            && number - sequence.nextInput >= Self.maximumSequenceJump
    }

    /// Whether a packet of the source is left out, the numbers behind it moving up.
    private func drops(_ packet: PreparedPacket) -> Bool {
        packet.isPaddingOnly || (ignoresDTX && packet.layers.flags.contains(.isDTX))
    }

    /// Whether packets of an encoding are being sent.
    private func isSending(encoding: Int) -> Bool {
        guard case .flowing = flow else { return false }
        return ofSelection { $0.isSending(encoding: encoding) } ?? true
    }
}

// MARK: Retransmission

extension OutgoingStream {
    /// What a requested number stands for, if it may be sent again.
    func original(ofRequested number: UInt16) -> (index: UInt64, original: SequenceRewriter.Original)? {
        guard hasBegun, let index = sent.extended(ofRequested: number), let original = original(ofIndex: index) else {
            return nil
        }
        return (index, original)
    }

    /// What was sent under a number, if it may be sent again.
    func original(ofIndex index: UInt64) -> SequenceRewriter.Original? {
        index >= firstResendable ? sequence.original(ofOutput: index) : nil
    }

    /// Decides on a packet's retransmission: as RTX where its codec has that, else as it was if its codec wants NACKs (RFC 4588,
    /// RFC 4585 §6.2.1).
    /// - Parameters:
    ///   - index: its number, from `original(ofRequested:)`.
    ///   - packet: the original, from the feed's cache.
    ///   - hadMarker: the RTP marker as it was received.
    mutating func retransmit(
        _ index: UInt64, _ packet: PreparedPacket, hadMarker: Bool, at now: MediaInstant
    ) -> OutgoingPacket? {
        let repair = repair(of: packet.payloadType)
        guard repair != .none, var outgoing = again(index, packet, hadMarker: hadMarker),
            sent.mayResend(extended: index, at: now)
        else { return nil }
        if let rtxSSRC = sent.rtxSSRC, case .rtx(let payloadType) = repair {
            becomeRTX(&outgoing, payloadType, rtxSSRC)
        } else if outgoing.isPaddingOnly {
            outgoing.hasMarker = false
        }
        return outgoing
    }

    /// A packet sent again although nobody asked, to find out what the network carries: it is of use if the first got lost.
    /// - Returns: `nil` without RTX: a receiver would take it for a repetition by an attacker.
    mutating func repeatUnasked(_ index: UInt64, _ packet: PreparedPacket, hadMarker: Bool) -> OutgoingPacket? {
        guard let rtxSSRC = sent.rtxSSRC, case .rtx(let payloadType) = repair(of: packet.payloadType),
            var outgoing = again(index, packet, hadMarker: hadMarker), !outgoing.isPaddingOnly
        else { return nil }
        becomeRTX(&outgoing, payloadType, rtxSSRC)
        return outgoing
    }

    /// A packet of nothing but padding, for the same purpose, on the stream of retransmissions: that of the media may have
    /// no gaps.
    mutating func pad() -> OutgoingPacket? {
        guard let rtxSSRC = sent.rtxSSRC,
            let payloadType = codecs.lazy.compactMap({ codec -> UInt8? in
                if case .rtx(let payloadType) = codec.repair(hasRTX: true) { payloadType } else { nil }
            }).first
        else { return nil }
        return OutgoingPacket(
            ssrc: rtxSSRC.rawValue, index: sent.nextRTXIndex(), timestamp: sent.highestTimestamp,
            payloadType: payloadType, hasMarker: false, isPaddingOnly: true, paddingLength: .max)
    }

    private mutating func becomeRTX(_ outgoing: inout OutgoingPacket, _ payloadType: UInt8, _ ssrc: SSRC) {
        outgoing.originalSequence = UInt16(truncatingIfNeeded: outgoing.index)
        outgoing.ssrc = ssrc.rawValue
        outgoing.payloadType = payloadType
        outgoing.index = sent.nextRTXIndex()
    }

    /// A packet as it was sent the first time; `nil` if it cannot be had so any more.
    private mutating func again(_ index: UInt64, _ packet: PreparedPacket, hadMarker: Bool) -> OutgoingPacket? {
        guard !drops(packet) else { return nil }
        var outgoing = OutgoingPacket(
            ssrc: ssrc, index: index, timestamp: timestamps.preview(packet.timestamp),
            payloadType: packet.payloadType, hasMarker: hadMarker)
        if selectsLayers {
            switch selection?.value.change(ofOutput: index) ?? .none {
            case .none: break
            case .marker: outgoing.hasMarker = true
            case .paddingOnly: outgoing.isPaddingOnly = true
            }
            let previous = index < selection?.value.firstOutput ?? 0 ? selection?.value.previous : nil
            if let previous { outgoing.timestamp = packet.timestamp &+ previous.timestampOffset }
            if !outgoing.isPaddingOnly, packet.codec == .vp8, packet.layers.flags.numbersPictures {
                var pictures = previous?.pictures ?? selection?.value.pictures ?? PictureIDRewriter()
                outgoing.pictureIDs = pictures.rewrite(packet.layers)
                guard outgoing.pictureIDs != nil else { return nil }
            }
        }
        return outgoing
    }
}

// MARK: Snapshot

extension OutgoingStream: Restorable {
    init(restoring reader: inout SnapshotReader) throws(WireError) {
        try reader.readVersion(1)
        let ssrc = try reader.readUInt32()
        let kind: MediaKind = try reader.read()
        let ignoresDTX: Bool = try reader.read()
        let canRetransmit: Bool = try reader.read()
        let flow: Flow = try reader.read()
        let isInsideFrame: Bool = try reader.read()
        let newestHeld = try reader.readCounter()
        let nextCached = try reader.readCounter()
        let wish: KeyFrameWish = try reader.read()
        let sequence: SequenceRewriter = try reader.read()
        let timestamps: TimestampRewriter = try reader.read()
        let firstResendable = try reader.readCounter()
        let sent: SendStream = try reader.read()
        var codecs: [ConsumerCodec] = []
        for _ in 0..<(try reader.readCount(atMost: 128)) { codecs.append(try reader.read()) }
        guard !codecs.isEmpty else { throw .malformed }
        let selection: LayerSelection? = try reader.readOptional()
        self.ssrc = ssrc
        self.kind = kind
        self.ignoresDTX = ignoresDTX
        self.canRetransmit = canRetransmit
        self.flow = flow
        self.isInsideFrame = isInsideFrame
        self.newestHeld = newestHeld
        self.nextCached = nextCached
        self.wish = wish
        self.sequence = sequence
        self.timestamps = timestamps
        self.firstResendable = firstResendable
        self.sent = sent
        self.codecs = codecs
        accepted = Self.payloadTypes(of: codecs)
        repeated = Self.repeatedPayloadTypes(of: codecs, hasRTX: self.sent.rtxSSRC != nil)
        self.selection = selection.map { Box($0) }
    }

    func write(to writer: inout SnapshotWriter) {
        writer.writeUInt8(1)
        writer.writeUInt32(ssrc)
        writer.write(kind)
        writer.write(ignoresDTX)
        writer.write(canRetransmit)
        writer.write(flow)
        writer.write(isInsideFrame)
        writer.writeUInt64(newestHeld)
        writer.writeUInt64(nextCached)
        writer.write(wish)
        writer.write(sequence)
        writer.write(timestamps)
        writer.writeUInt64(firstResendable)
        writer.write(sent)
        writer.writeCount(codecs.count)
        for codec in codecs { writer.write(codec) }
        writer.writeOptional(ofSelection { $0 })
    }
}

extension OutgoingStream.Flow: Restorable {
    init(restoring reader: inout SnapshotReader) throws(WireError) {
        switch try reader.readUInt8() {
        case 1: self = .stopped
        case 2: self = .awaitingKeyFrame
        case 3: self = .catchingUp
        case 4: self = .flowing
        default: throw .malformed
        }
    }

    func write(to writer: inout SnapshotWriter) {
        switch self {
        case .stopped: writer.writeUInt8(1)
        case .awaitingKeyFrame: writer.writeUInt8(2)
        case .catchingUp: writer.writeUInt8(3)
        case .flowing: writer.writeUInt8(4)
        }
    }
}
