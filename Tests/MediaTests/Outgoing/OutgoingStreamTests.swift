import Testing

@testable import RoundhouseMedia

/// One scripted line of a stream's life. Packets are numbered from 1 on by their sender; what they become is written as
/// `packet` does it.
private enum Line: Sendable {
    case start
    case stop
    /// A picture of one packet that decoding can begin with, and what becomes of it.
    case key(Int, String, encoding: Int = 0, inParts: Bool = false)
    case delta(Int, String, encoding: Int = 0, temporal: Int? = nil, picture: Int? = nil)
    case padding(Int, String)
    case silence(Int, String)
    case foreign(Int, String)
    case prefer(spatial: Int, temporal: Int)
    /// The receiver asks for an output again.
    case resend(Int, String)
    case wait(milliseconds: Int)
    /// The cache has a group of pictures from this number on.
    case beginCached(Int)
    /// A packet out of the cache.
    case cached(Int, String, isKey: Bool = false, temporal: Int? = nil)
    /// Enough of the cache for now.
    case pauseCached
    /// More of the cache.
    case resumeCached
    case caughtUp
    /// The producer is replaced by one that numbers its packets and pictures as it likes.
    case switchSource
}

private struct Row: Sendable, CustomTestStringConvertible {
    enum Kind { case plain, layers, simulcast, audio, rtx }

    let testDescription: String
    let kind: Kind
    let lines: [Line]
    init(_ name: String, _ kind: Kind = .plain, _ lines: Line...) {
        testDescription = name
        self.kind = kind
        self.lines = lines
    }
}

/// A stream and the feed it belongs to, driven as a shard drives them.
private struct Script: ~Copyable {
    static let payloadType: UInt8 = 101
    var stream: OutgoingStream
    var feed: ProducerFeed
    var now = MediaInstant(nanoseconds: 1_000_000_000_000)
    let codec: CodecKind
    /// What a shard's cache would hold.
    var sent: [UInt64: (PreparedPacket, hasMarker: Bool)] = [:]

    init(_ kind: Row.Kind) {
        let isAudio = kind == .audio
        codec = isAudio ? .opus : .vp8
        let encodings = kind == .simulcast ? 2 : 1
        var settings = ConsumerSettings(
            kind: isAudio ? .audio : .video, mid: nil, cname: "alice",
            codecs: [
                ConsumerCodec(
                    codec: codec, clockRate: isAudio ? 48_000 : 90_000, payloadType: Self.payloadType,
                    rtxPayloadType: kind == .rtx ? 102 : nil, feedback: [.nack])
            ], ssrc: SSRC(7), rtxSSRC: kind == .rtx ? SSRC(8) : nil,
            encodings: (0..<encodings).map { SSRC(UInt32(100 + $0)) }, headerExtensions: HeaderExtensionIDs(),
            isPaused: false, isProducerPaused: false)
        settings.scalability.temporalLayers = kind == .layers ? 2 : 1
        settings.ignoresDTX = isAudio
        stream = OutgoingStream(settings, firstSequence: 1001, firstRTXSequence: 501)
        feed = ProducerFeed(
            key: ProducerKey(rawValue: 1), kind: settings.kind, encodings: encodings,
            clockRate: isAudio ? 48_000 : 90_000, usesDTX: false)
    }

    mutating func run(_ line: Line) -> (got: String, wanted: String)? {
        switch line {
        case .start: stream.start()
        case .stop: stream.stop(feed)
        case .prefer(let spatial, let temporal):
            _ = stream.prefer(ConsumerLayers(spatial: UInt8(spatial), temporal: UInt8(temporal)))
            stream.updateTarget(feed.encodings, at: now)
        case .beginCached(let number):
            stream.updateTarget(feed.encodings, at: now)
            stream.beginCached(from: UInt64(number))
        case .pauseCached: stream.pauseCached()
        case .resumeCached: stream.resumeCached()
        case .caughtUp:
            stream.caughtUp()
            stream.updateTarget(feed.encodings, at: now)
        case .cached(let number, let wanted, let isKey, let temporal):
            var packet = packet(number, encoding: 0)
            packet.isKeyFrame = isKey
            if let temporal {
                packet.layers.setTemporal(UInt8(temporal), isSwitchPoint: true, isKeyFrame: false)
                packet.layers.flags.insert(.startsFrame)
            }
            let got = give(packet, hasMarker: true)
            stream.nextCached = UInt64(number) + 1
            return (got, wanted)
        case .wait(let time): now = now + .milliseconds(time)
        case .switchSource:
            let source = SourceSettings(
                encodings: [SSRC(200)], scalability: ScalabilitySettings(), cname: "bob", isProducerPaused: false)
            stream.switchSource(source, newest: feed.newestPicture)
        case .key(let number, let wanted, let encoding, let inParts):
            var packet = packet(number, encoding: encoding)
            packet.isKeyFrame = true
            return (give(packet, hasMarker: !inParts), wanted)
        case .delta(let number, let wanted, let encoding, let temporal, let picture):
            var packet = packet(number, encoding: encoding)
            if let temporal {
                packet.layers.setTemporal(UInt8(temporal), isSwitchPoint: true, isKeyFrame: false)
                packet.layers.flags.insert(.startsFrame)
            }
            if let picture {
                packet.layers.pictureID = UInt16(picture)
                packet.layers.flags.formUnion([.hasPictureID, .hasLongPictureID])
            }
            return (give(packet, hasMarker: true), wanted)
        case .padding(let number, let wanted):
            var packet = packet(number, encoding: 0)
            packet.isPaddingOnly = true
            return (give(packet, hasMarker: false), wanted)
        case .silence(let number, let wanted):
            var packet = packet(number, encoding: 0)
            packet.layers.flags.insert(.isDTX)
            return (give(packet, hasMarker: false), wanted)
        case .foreign(let number, let wanted):
            var packet = packet(number, encoding: 0)
            packet.payloadType = 99
            return (give(packet, hasMarker: true), wanted)
        case .resend(let output, let wanted):
            let number = UInt16(truncatingIfNeeded: output + 1000)
            guard let (index, original) = stream.original(ofRequested: number),
                let (packet, hasMarker) = sent[original.extended],
                let outgoing = stream.retransmit(index, packet, hadMarker: hasMarker, at: now)
            else { return ("-", wanted) }
            return (describe(outgoing), wanted)
        }
        return nil
    }

    private func packet(_ number: Int, encoding: Int) -> PreparedPacket {
        var packet = PreparedPacket(
            producer: 1, sequence: UInt64(number), timestamp: UInt32(truncatingIfNeeded: number &* 3000),
            headerLength: 32, payloadLength: 500, encoding: UInt8(encoding), payloadType: Self.payloadType,
            codec: codec, isKeyFrame: false, isPaddingOnly: false)
        if codec == .vp8 { packet.layers.setTemporal(0, isSwitchPoint: false, isKeyFrame: false) }
        return packet
    }

    private mutating func give(_ packet: PreparedPacket, hasMarker: Bool) -> String {
        now = now + .milliseconds(33)
        _ = feed.packetArrived(packet, at: now)
        sent[packet.sequence] = (packet, hasMarker)
        let step = stream.packetArrived(packet, hasMarker: hasMarker, of: feed, at: now)
        switch step {
        case .drop: return "-"
        case .refuse(let reason): return reason.label
        case .awaitKeyFrame(let isStarting): return isStarting ? "waits" : "wants a key frame"
        case .requestKeyFrame: return "asks for a key frame"
        case .catchUp(.sendCached): return "catches up"
        case .catchUp(.sendMissing): return "was missing"
        case .catchUp(.leaveCache): return "leaves the cache"
        case .send(let outgoing):
            stream.packetSent(outgoing, of: packet, hadMarker: hasMarker, at: now)
            return describe(outgoing)
        case .begin(let outgoing, _):
            stream.packetSent(outgoing, of: packet, hadMarker: hasMarker, at: now)
            return "begins \(describe(outgoing))"
        }
    }

    private func describe(_ outgoing: OutgoingPacket) -> String {
        var text = "\(outgoing.index - (outgoing.ssrc == 8 ? 500 : 1000))"
        if let original = outgoing.originalSequence { text = "rtx \(text) of \(original - 1000)" }
        if outgoing.isPaddingOnly { text += " as padding" }
        if let pictureIDs = outgoing.pictureIDs { text += " picture \(pictureIDs.pictureID)" }
        return text
    }
}

@Suite("OutgoingStream")
struct OutgoingStreamTests {
    private static let rows: [Row] = [
        Row("nothing is sent before the start", .plain, .key(10, "-"), .delta(11, "-")),
        Row(
            "a stream begins with a key frame", .plain, .start, .delta(10, "waits"), .key(11, "begins 1"),
            .delta(12, "2")),
        Row(
            "a stream that was stopped begins with another key frame", .plain, .start, .key(10, "begins 1"), .stop,
            .delta(11, "-"), .start, .delta(12, "waits"), .key(13, "begins 2"), .delta(14, "3")),
        Row("a second start changes nothing that is sent", .plain, .start, .key(10, "begins 1"), .delta(11, "2")),
        Row("a loss stays visible", .plain, .start, .key(10, "begins 1"), .delta(13, "4"), .delta(12, "3")),
        Row(
            "padding closes its gap", .plain, .start, .key(10, "begins 1"), .padding(11, "-"), .delta(12, "2"),
            .padding(13, "-"), .padding(14, "-"), .delta(15, "3")),
        Row("padding alone begins nothing", .plain, .start, .padding(10, "-"), .key(11, "begins 1")),
        Row(
            "a payload type that was not negotiated is refused", .plain, .start, .foreign(10, "unknown_payload_type"),
            .key(11, "begins 1"), .foreign(12, "unknown_payload_type"), .delta(13, "3")),
        Row(
            "a sender that restarts its numbering is waited for", .plain, .start, .key(10, "begins 1"),
            .delta(40_000, "waits"), .key(40_001, "begins 2"), .delta(40_002, "3")),
        Row(
            "a jump that loss explains is followed", .plain, .start, .key(10, "begins 1"), .delta(32_000, "31991")),
        Row(
            "a picture that is cut leaves a number out", .plain, .start, .key(10, "begins 1", inParts: true), .stop,
            .start, .key(20, "begins 3")),
        Row("what came before the key frame is held", .plain, .start, .delta(12, "waits"), .key(10, "begins 1")),
        Row("audio begins with any packet", .audio, .start, .delta(10, "begins 1"), .delta(11, "2")),
        Row(
            "silence is left out if that was asked for", .audio, .start, .delta(10, "begins 1"), .silence(11, "-"),
            .silence(12, "-"), .delta(13, "2")),
        // Layers
        Row(
            "a layer that is not preferred is left out", .layers, .prefer(spatial: 0, temporal: 0), .start,
            .key(10, "begins 1"), .delta(11, "-", temporal: 1), .delta(12, "2", temporal: 0),
            .delta(13, "-", temporal: 1), .delta(14, "3", temporal: 0)),
        Row(
            "all layers are sent unless said otherwise", .layers, .start, .key(10, "begins 1"),
            .delta(11, "2", temporal: 1), .delta(12, "3", temporal: 0)),
        Row(
            "a late packet of a layer that is left out becomes padding", .layers, .prefer(spatial: 0, temporal: 0),
            .start, .key(10, "begins 1"), .delta(12, "3", temporal: 0), .delta(11, "2 as padding", temporal: 1)),
        Row(
            "padding that was sent is sent again as padding", .layers, .prefer(spatial: 0, temporal: 0), .start,
            .key(10, "begins 1"), .delta(12, "3", temporal: 0), .delta(11, "2 as padding", temporal: 1),
            .resend(2, "2 as padding"), .resend(3, "3")),
        // Encodings
        Row(
            "of two encodings one is sent", .simulcast, .prefer(spatial: 0, temporal: 7), .start,
            .key(10, "begins 1", encoding: 0), .key(500, "-", encoding: 1), .delta(11, "2", encoding: 0),
            .delta(501, "-", encoding: 1)),
        // Catching up
        Row(
            "a consumer that joins begins with the cache, and goes on with what arrives", .plain, .start,
            .beginCached(10), .cached(10, "begins 1", isKey: true), .cached(11, "2"), .pauseCached,
            .delta(20, "catches up"), .resumeCached, .cached(12, "3"), .pauseCached, .delta(21, "catches up"),
            .resumeCached, .cached(13, "4"), .caughtUp, .delta(14, "5")),
        Row(
            "what was lost before the cache stays visible behind it", .plain, .start, .beginCached(10),
            .cached(10, "begins 1", isKey: true), .cached(12, "3"), .caughtUp, .delta(13, "4"), .delta(11, "2")),
        Row(
            "only base layers are sent out of the cache", .layers, .start, .beginCached(10),
            .cached(10, "begins 1", isKey: true), .cached(11, "-", temporal: 1), .cached(12, "2", temporal: 0),
            .caughtUp, .delta(13, "3", temporal: 1), .delta(14, "4", temporal: 0)),
        Row(
            "a cache that was overrun is left", .plain, .start, .beginCached(10),
            .cached(10, "begins 1", isKey: true), .pauseCached, .delta(9_000, "leaves the cache")),
        Row(
            "a consumer that was stopped while it caught up begins with a key frame", .plain, .start, .beginCached(10),
            .cached(10, "begins 1", isKey: true), .pauseCached, .stop, .delta(11, "-"), .start, .delta(12, "waits"),
            .key(13, "begins 2")),
        // Sources
        Row(
            "another source goes on behind the old one", .plain, .start, .key(10, "begins 1"), .delta(11, "2"),
            .switchSource, .delta(7000, "waits"), .key(7001, "begins 3"), .delta(7002, "4")),
        Row(
            "the pictures of another source go on behind the old one's", .plain, .start, .key(10, "begins 1"),
            .delta(11, "2", picture: 77), .switchSource, .key(7001, "begins 3"),
            .delta(7002, "asks for a key frame", picture: 5)),
        // Retransmission
        Row(
            "a packet is sent again as it was", .plain, .start, .key(10, "begins 1"), .delta(11, "2"),
            .resend(1, "1"), .resend(2, "2")),
        Row(
            "what was not sent is not sent again", .plain, .start, .key(10, "begins 1"), .resend(2, "-"),
            .resend(0, "-")),
        Row(
            "retransmissions with RTX have numbers of their own", .rtx, .start, .key(10, "begins 1"), .delta(11, "2"),
            .resend(2, "rtx 1 of 2"), .resend(1, "rtx 2 of 1")),
        Row(
            "a packet is sent again once per round trip", .rtx, .start, .key(10, "begins 1"), .delta(11, "2"),
            .resend(2, "rtx 1 of 2"), .resend(2, "-"), .wait(milliseconds: 200), .resend(2, "rtx 2 of 2")),
        Row(
            "nothing of before a switch is sent again", .plain, .start, .key(10, "begins 1"), .switchSource,
            .key(7000, "begins 2"), .resend(1, "-"), .resend(2, "2")),
        Row(
            "a stream that was stopped sends nothing again", .plain, .start, .key(10, "begins 1"), .stop,
            .resend(1, "-")),
    ]

    @Test(arguments: rows)
    private func `a stream decides as its script says`(row: Row) {
        var script = Script(row.kind)
        for (number, line) in row.lines.enumerated() {
            guard let (got, wanted) = script.run(line) else { continue }
            #expect(got == wanted, "line \(number + 1) of “\(row.testDescription)”")
        }
    }

    @Test func `a consumer that catches up waits behind the cache, whatever arrives`() {
        var script = Script(.plain)
        script.stream.start()
        script.stream.beginCached(from: 20)
        script.stream.pauseCached()
        #expect(script.run(.delta(25, ""))?.got == "catches up")
        #expect(script.run(.delta(19, ""))?.got == "was missing")
        // Missing in what was sent: it is sent at once.
        let isFlowing = if case .flowing = script.stream.flow { true } else { false }
        #expect(isFlowing)
    }
}
