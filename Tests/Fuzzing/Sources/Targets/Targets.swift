@testable import RoundhouseMedia

// Safe: libFuzzer calls from one thread, first `select`, then `one` with bytes that live until it returns.

/// The parsers that bytes from the network reach, by the name `run.sh` knows.
enum Target: String, CaseIterable {
    case rtp, rtcp, stun, vp8, vp9, h264, h265, av1, opus, descriptor
    case dtls, srtp, ice, tcp, turn, shard
    case sctp, association
    case json, request, sdp, target, engine, websocket, http2, token

    // Sendable: set once before the first input, by libFuzzer's only thread.
    nonisolated(unsafe) static var selected = Target.rtp

    func run(_ bytes: UnsafeRawBufferPointer) {
        switch self {
        case .rtp: Self.runRTP(bytes)
        case .rtcp: Self.runRTCP(bytes)
        case .stun: Self.runSTUN(bytes)
        case .vp8: Self.runPayload(.vp8, bytes)
        case .vp9: Self.runPayload(.vp9, bytes)
        case .h264: Self.runPayload(.h264, bytes)
        case .h265: Self.runPayload(.h265, bytes)
        case .av1: Self.runPayload(.av1, bytes)
        case .opus: Self.runPayload(.opus, bytes)
        case .descriptor: Self.runDescriptors(bytes)
        case .dtls: TransportTargets.runDTLS(bytes)
        case .srtp: TransportTargets.runSRTP(bytes)
        case .ice: TransportTargets.runICE(bytes)
        case .tcp: TCPTargets.run(bytes)
        case .turn: TURNTargets.run(bytes)
        case .shard: ShardTarget.run(bytes)
        case .sctp: SCTPTargets.runPacket(bytes)
        case .association: SCTPTargets.runAssociation(bytes)
        case .json: SignalingTargets.runJSON(bytes)
        case .request: SignalingTargets.runRequest(bytes)
        case .sdp: SignalingTargets.runSDP(bytes)
        case .target: SignalingTargets.runTarget(bytes)
        case .engine: SignalingTargets.runEngine(bytes)
        case .websocket: SignalingTargets.runWebSocket(bytes)
        case .http2: SignalingTargets.runHTTP2(bytes)
        case .token: SignalingTargets.runToken(bytes)
        }
    }

    private static func runRTP(_ bytes: UnsafeRawBufferPointer) {
        _ = DatagramKind.classify(bytes)
        var ids = HeaderExtensionIDs()
        (ids[.mid], ids[.rid], ids[.repairedRID], ids[.absSendTime], ids[.transportWideSequence]) = (1, 2, 3, 4, 5)
        (ids[.audioLevel], ids[.dependencyDescriptor], ids[.videoOrientation]) = (6, 7, 8)
        (ids[.transmissionOffset], ids[.absCaptureTime], ids[.playoutDelay]) = (9, 10, 11)
        for header in [try? RTPHeader(parsing: bytes), try? RTPHeader(parsingEncrypted: bytes)] {
            guard let header else { continue }
            precondition(header.headerLength + header.payloadLength + header.paddingLength == bytes.count)
            let extensions = ReceivedExtensions(header, in: bytes, ids: ids)
            for range in [extensions.mid, extensions.rid, extensions.repairedRID, extensions.absCaptureTime] {
                guard let range else { continue }
                precondition(bytes.view(range) != nil)
            }
            precondition(bytes.view(header.payload) != nil)
        }
    }

    private static func runRTCP(_ bytes: UnsafeRawBufferPointer) {
        var reader = RTCPCompoundReader(bytes)
        while let packet = (try? reader.next()) ?? nil {
            _ = try? SenderReport(parsing: packet)
            if let blocks = try? SenderReport.reportBlocks(in: packet) { for _ in blocks {} }
            if let report = try? ReceiverReport(parsing: packet) { for _ in report.reportBlocks {} }
            if var description = try? SourceDescription(parsing: packet) {
                while let item = (try? description.next()) ?? nil { _ = item.text.count }
            }
            if let goodbye = try? Goodbye(parsing: packet) {
                for index in 0..<goodbye.sourceCount { precondition(goodbye.source(at: index) != nil) }
            }
            if var report = try? ExtendedReport(parsing: packet) {
                while let block = (try? report.next()) ?? nil {
                    if case .delaySinceLastReceiverReport(let list) = block { for _ in list {} }
                }
            }
            if let nack = try? GenericNACK(parsing: packet) { for _ in nack.lost {} }
            _ = try? PictureLossIndication(parsing: packet)
            if let request = try? FullIntraRequest(parsing: packet) { for _ in request.items {} }
            if let remb = try? ReceiverEstimatedMaximumBitrate(parsing: packet) {
                for index in 0..<remb.sourceCount { precondition(remb.source(at: index) != nil) }
            }
            _ = try? UnusedFeedback.check(packet)
            if let limits = try? TemporaryMaximumBitrate(parsing: packet) {
                for item in limits.items { precondition(item.overhead < 512) }
            }
            if let slices = try? SliceLossIndication(parsing: packet) { for _ in slices.slices {} }
            if let choice = try? ReferencePictureSelection(parsing: packet) {
                precondition(choice.bitCount >= 0 && choice.bitCount <= 8 * choice.picture.count)
            }
            if let tradeOff = try? TemporalSpatialTradeOff(parsing: packet) {
                for item in tradeOff.items { precondition(item.index < 32) }
            }
            if let message = try? VideoBackChannelMessage(parsing: packet) { _ = message.content.count }
            if let feedback = try? TransportWideFeedback(parsing: packet) {
                var count = 0
                for _ in feedback.packets { count += 1 }
                precondition(count == feedback.packetCount)
            }
        }
    }

    private static func runSTUN(_ bytes: UnsafeRawBufferPointer) {
        _ = try? STUNMessage(parsing: bytes)
        _ = ICELiteAgent.localUsernameFragment(of: bytes)
    }

    /// The payload through its parser, and on into the machines that choose layers by what it says.
    private static func runPayload(_ codec: CodecKind, _ bytes: UnsafeRawBufferPointer) {
        let isKey = isKeyFrame(codec: codec, payload: bytes)
        var reader = LayerReader(codec: codec)
        let layers = reader.read(
            payload: bytes, descriptor: UnsafeRawBufferPointer(start: nil, count: 0), sequence: 1)
        precondition(layers.spatialLayer < 8 && layers.temporalLayer < 8 && layers.highestSpatialLayer < 8)
        var selector = SVCSelector(spatialLayers: 3, isKSVC: false)
        var temporal = TemporalSelector()
        _ = selector.packetReceived(layers, isKeyFrame: isKey, sequence: 1, timestamp: 1, temporal: &temporal)
        selector.setTarget(0)
        temporal.setTarget(0)
        _ = selector.packetReceived(layers, isKeyFrame: false, sequence: 2, timestamp: 2, temporal: &temporal)
        var pictures = PictureIDRewriter()
        pictures.synchronize(layers)
        guard let names = pictures.rewrite(layers) else { return }
        withUnsafeTemporaryAllocation(byteCount: bytes.count, alignment: 1) { copy in
            copy.copyMemory(from: bytes)
            PictureIDRewriter.write(names, layers, into: copy)
        }
    }

    /// A stream of descriptors, each behind a byte that says how long it is.
    private static func runDescriptors(_ bytes: UnsafeRawBufferPointer) {
        var reader = LayerReader(codec: .av1, isKSVC: true)
        var selector = SVCSelector(spatialLayers: 4, isKSVC: true)
        var temporal = TemporalSelector()
        var rest = ByteReader(bytes)
        var sequence: UInt64 = 100
        while let length = try? rest.readUInt8(), let descriptor = try? rest.readBytes(Int(length & 0x7F)) {
            // The high bit makes the packet a late one.
            sequence = length & 0x80 != 0 ? sequence &- 5 : sequence &+ 1
            let layers = reader.read(
                payload: UnsafeRawBufferPointer(start: nil, count: 0), descriptor: descriptor, sequence: sequence)
            precondition(layers.spatialLayer < 4 && layers.temporalLayer < 8 && layers.highestSpatialLayer < 8)
            _ = selector.packetReceived(
                layers, isKeyFrame: layers.switchTo == .max, sequence: sequence,
                timestamp: UInt32(truncatingIfNeeded: sequence), temporal: &temporal)
        }
    }
}

/// Chooses the parser; zero if there is one of that name.
@_cdecl("roundhouse_fuzz_select")
public func select(_ name: UnsafePointer<CChar>) -> Int32 {
    guard let target = Target(rawValue: String(cString: name)) else { return -1 }
    Target.selected = target
    return 0
}

/// Gives the parser one input.
@_cdecl("roundhouse_fuzz_one")
public func one(_ data: UnsafePointer<UInt8>?, _ size: Int) {
    Target.selected.run(UnsafeRawBufferPointer(start: size > 0 ? data : nil, count: size))
}
