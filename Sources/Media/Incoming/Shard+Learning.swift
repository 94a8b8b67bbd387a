// Safe: packets are read within the ranges that `ReceivedExtensions` has checked.
/// Whose a stream is that comes with an SSRC not known yet.
extension Shard {
    /// A stream that goes on under another SSRC without saying whose it is, or against what was announced, takes the old
    /// one's place only once that has been silent for so long.
    static let takeoverSilence = MediaDuration.seconds(1)

    private struct Match {
        enum Sign { case mid, rid, payloadType }

        var producer: Slot<ShardProducer>
        var encoding: Int
        var isRTX: Bool
        var sign: Sign
    }

    /// Finds the producer and encoding of an SSRC that is in no table, and notes it there (RFC 9143 §9.2, RFC 8852): by
    /// the MID in its packet, by the RID, or by the payload type where that is one producer's alone.
    mutating func learnStream(
        _ header: RTPHeader, in packet: UnsafeRawBufferPointer, on transport: Slot<MediaTransport>
    ) -> MediaTransport.StreamReference? {
        guard let match = unsafe match(header, in: packet, on: transport) else { return nil }
        return match.isRTX ? bindRTX(header.ssrc, match) : bindMedia(header.ssrc, match)
    }

    private func match(
        _ header: RTPHeader, in packet: UnsafeRawBufferPointer, on transport: Slot<MediaTransport>
    ) -> Match? {
        var byRID: Match?
        var byPayloadType: Match?
        var owners = 0
        for producer in transports[transport].producers {
            let isMedia = producers[producer].codec(forPayloadType: header.payloadType) != nil
            guard isMedia || producers[producer].codec(forRTXPayloadType: header.payloadType) != nil else { continue }
            owners += 1
            // Each producer's own numbers: what is a MID to one may be a RID to another.
            let extensions = unsafe ReceivedExtensions(header, in: packet, ids: producers[producer].extensionIDs)
            let rid = unsafe (extensions.rid ?? extensions.repairedRID).map { unsafe packet[$0] }
            var match = Match(producer: producer, encoding: 0, isRTX: !isMedia, sign: .mid)
            if let mid = unsafe extensions.mid.map({ unsafe packet[$0] }) {
                guard unsafe producers[producer].settings.mid?.utf8.elementsEqual(mid) ?? false,
                    let encoding = unsafe producers[producer].encoding(named: rid)
                else { continue }
                match.encoding = encoding
                return match
            }
            if let encoding = producers[producer].encoding(announcedBy: header.ssrc, isRTX: !isMedia) {
                // Another SSRC had taken its place.
                match.encoding = encoding
                match.sign = .payloadType
                return match
            }
            if let rid = unsafe rid {
                guard byRID == nil, let encoding = unsafe producers[producer].encoding(named: rid) else { continue }
                match.encoding = encoding
                match.sign = .rid
                byRID = match
            } else if producers[producer].isKnownByPayloadType(isRTX: !isMedia) {
                match.sign = .payloadType
                byPayloadType = match
            }
        }
        return byRID ?? (owners == 1 ? byPayloadType : nil)
    }

    private mutating func bindMedia(_ ssrc: SSRC, _ match: Match) -> MediaTransport.StreamReference? {
        let producer = match.producer
        let announced = producers[producer].settings.encodings[match.encoding]
        if let old = producers[producer].streams[match.encoding] {
            // Browsers change a track's SSRC when they recreate its encoder, and say whose it is in its first packets.
            let mayTakeOver = announced.ssrc == nil && match.sign != .payloadType
            guard mayTakeOver || !streams[old].received.isActive(at: now, within: Self.takeoverSilence) else {
                counters.add(.streamConflict)
                return nil
            }
            if announced.ssrc != nil { counters.add(.streamsTakenOver) }
            closeStream(old)
        }
        guard let stream = openStream(ssrc, of: producer, encoding: match.encoding) else { return nil }
        let transport = producers[producer].transport
        if let rtx = announced.rtxSSRC, transports[transport].streams.find(rtx.rawValue) == nil {
            streams[stream].received.replaceRTX(by: rtx)
            transports[transport].streams.insert(rtx.rawValue, .init(stream: stream, isRTX: true))
        }
        forceKeyFrame(of: stream)
        return MediaTransport.StreamReference(stream: stream, isRTX: false)
    }

    private mutating func bindRTX(_ ssrc: SSRC, _ match: Match) -> MediaTransport.StreamReference? {
        guard let stream = producers[match.producer].streams[match.encoding] else { return nil }
        let transport = producers[match.producer].transport
        if let old = streams[stream].received.rtxSSRC {
            guard !streams[stream].received.isRTXActive(at: now, within: Self.takeoverSilence) else { return nil }
            transports[transport].streams.remove(old.rawValue)
            transports[transport].protection.retire(old.rawValue)
        }
        streams[stream].received.replaceRTX(by: ssrc)
        let reference = MediaTransport.StreamReference(stream: stream, isRTX: true)
        transports[transport].streams.insert(ssrc.rawValue, reference)
        return reference
    }

    /// An SSRC is announced by a producer that is about to be opened: a stream that was only guessed to have it gives it up.
    mutating func releaseLearned(_ ssrc: SSRC, on transport: Slot<MediaTransport>) {
        guard let reference = transports[transport].streams.find(ssrc.rawValue), !isAnnounced(ssrc, reference) else {
            return
        }
        if reference.isRTX {
            streams[reference.stream].received.replaceRTX(by: nil)
            transports[transport].streams.remove(ssrc.rawValue)
        } else {
            closeStream(reference.stream)
        }
    }

    /// Whether signaling announced this SSRC, rather than a packet.
    func isAnnounced(_ ssrc: SSRC, _ reference: MediaTransport.StreamReference) -> Bool {
        let stream = reference.stream
        let encoding = producers[streams[stream].producer].settings.encodings[streams[stream].encoding]
        return (reference.isRTX ? encoding.rtxSSRC : encoding.ssrc) == ssrc
    }
}

extension ShardProducer {
    /// The encoding of a RID; without one the only encoding.
    fileprivate func encoding(named rid: Slice<UnsafeRawBufferPointer>?) -> Int? {
        guard let rid = unsafe rid else { return settings.encodings.count == 1 ? 0 : nil }
        return settings.encodings.firstIndex { unsafe $0.rid?.utf8.elementsEqual(rid) ?? false }
    }

    fileprivate func encoding(announcedBy ssrc: SSRC, isRTX: Bool) -> Int? {
        settings.encodings.firstIndex { (isRTX ? $0.rtxSSRC : $0.ssrc) == ssrc }
    }

    /// Whether its one stream was not announced by an SSRC, so that its payload types have to do.
    fileprivate func isKnownByPayloadType(isRTX: Bool) -> Bool {
        guard settings.encodings.count == 1, let encoding = settings.encodings.first else { return false }
        return (isRTX ? encoding.rtxSSRC : encoding.ssrc) == nil
    }
}
