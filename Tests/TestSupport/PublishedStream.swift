// Reads the media plane's internals, which a release build shows only with -enable-testing -DTESTING.
#if DEBUG || TESTING
    @testable import RoundhouseMedia

    /// What a peer sends on one SSRC: numbering, retransmission, and what the server says about it.
    final class PublishedStream {
        struct Sent {
            var index: UInt64
            var timestamp: UInt32
            var hasMarker: Bool
            var payload: [UInt8]
            /// The dependency descriptor; empty without one.
            var descriptor: [UInt8] = []
        }

        let ssrc: SSRC
        let rtxSSRC: SSRC?
        let rid: String?
        /// The content's name for this stream (`TestPayload`).
        let contentStream: UInt32
        /// Of a layered track: what was sent, frame by frame, and which packet belongs to which frame.
        var frames: [SentFrame] = []
        var frameOfNumber: [Int] = []
        /// Packets that were sent again, or that were lost.
        var resent: Set<UInt64> = []
        var pictures = LayeredVideo.Pictures()
        /// The next packet's roll-over counter · 65,536 + sequence number.
        var index: UInt64
        var rtxIndex: UInt64 = 1
        var number: UInt64 = 0
        var timestamp: UInt32
        private var history: [Sent?] = Array(repeating: nil, count: 1024)

        var packetsSent: UInt64 = 0
        var bytesSent: UInt64 = 0
        var packetsRetransmitted = 0
        var nacksReceived = 0
        /// When the server asked for key frames.
        var keyFrameRequestTimes: [MediaInstant] = []
        var keyFrameRequests: Int { keyFrameRequestTimes.count }
        var keyFramesSent = 0
        /// The server's last report block about this stream, and how many came.
        var lastReport: ReportBlock?
        var reportsReceived = 0
        var roundTripTime: MediaDuration?
        /// Numbers of content never sent by media (for tests that let a packet exist only as a retransmission).
        var lastTimestampAt = MediaInstant(nanoseconds: 0)

        init(ssrc: SSRC, rtxSSRC: SSRC?, rid: String?, firstSequence: UInt16, timestamp: UInt32) {
            self.ssrc = ssrc
            self.rtxSSRC = rtxSSRC
            self.rid = rid
            contentStream = ssrc.rawValue
            index = UInt64(firstSequence)
            self.timestamp = timestamp
        }

        func remember(_ sent: Sent) { history[Int(truncatingIfNeeded: sent.index) & 1023] = sent }

        func sent(_ sequence: UInt16) -> Sent? {
            guard let sent = history[Int(sequence) & 1023], UInt16(truncatingIfNeeded: sent.index) == sequence else {
                return nil
            }
            return sent
        }
    }

    /// A track: opus audio at 50 packets a second, or VP8-like video in one or more encodings.
    final class PublishedTrack {
        struct Video {
            var framesPerSecond = 30
            var packetsPerFrame = 3
            /// Payload bytes; the last packet of a frame is shorter.
            var packetSize = 600
            /// Frames from key frame to key frame; `nil`: only when asked.
            var keyFrameInterval: Int?
        }

        let kind: MediaKind
        let mid: String
        let cname: String
        /// One for each encoding; another takes an encoding's place when a browser restarts its encoder.
        private(set) var encodings: [PublishedStream]
        var video = Video()
        var videoPayloadType = ClientCodecs.vp8
        /// Payloads as browsers write them, with layers; `nil`: the plainest VP8.
        var layered: LayeredVideo?
        /// Of video: the byte that says how the picture is to be turned, in each packet.
        var orientation: UInt8?
        /// Of audio: every other packet says nothing but that there is silence (opus DTX).
        var sendsDTX = false
        /// The first packet of each key frame is lost, and sent only when asked for.
        var losesKeyFrameStarts = false
        /// Payload bytes of an audio packet.
        var audioSize = 80
        var isSending = true
        /// Encodings above are silent: what a browser does when its bandwidth is low.
        var activeEncodings: Int
        /// Encodings that are not sent, nor reported on.
        var silentEncodings: Set<Int> = []
        /// Encodings that are sent without sender reports.
        var unreportedEncodings: Set<Int> = []
        /// How long ago what is sent now was captured.
        var captureDelay = MediaDuration.zero
        var usesRTX: Bool
        /// The client's numbers in this media section; what has zero is not written.
        var extensions = ClientCodecs.extensions
        /// Whether the streams' SSRCs are signaled to the server, where they have no RID.
        var announcesSSRCs = true
        var answersNACK = true
        /// Whether the frame after a request is a key frame; otherwise requests are as good as lost.
        var answersKeyFrameRequests = true
        var wantsTransportFeedback = true

        var nextFrame: MediaInstant?
        var framesSent = 0
        /// By encoding: the next frame is a key frame.
        var needsKeyFrame: [Bool]
        /// Set by `VirtualMember.publish`.
        var producer: ProducerKey?

        init(kind: MediaKind, mid: String, cname: String, encodings: [PublishedStream], usesRTX: Bool) {
            self.kind = kind
            self.mid = mid
            self.cname = cname
            self.encodings = encodings
            self.usesRTX = usesRTX
            activeEncodings = encodings.count
            needsKeyFrame = Array(repeating: true, count: encodings.count)
        }

        var interval: MediaDuration {
            kind == .audio
                ? .milliseconds(20) : MediaDuration(nanoseconds: 1_000_000_000 / Int64(video.framesPerSecond))
        }
        var clockRate: UInt32 { kind == .audio ? 48_000 : 90_000 }
        var codec: CodecKind { kind == .audio ? .opus : layered?.codec ?? .vp8 }

        /// Another stream, with another SSRC, takes an encoding's place.
        func replace(encoding: Int, by stream: PublishedStream) {
            encodings[encoding] = stream
            needsKeyFrame[encoding] = true
        }
        var payloadType: UInt8 { kind == .audio ? ClientCodecs.opus : videoPayloadType }
    }
#endif
