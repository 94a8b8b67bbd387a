// Reads the media plane's internals, which a release build shows only with -enable-testing -DTESTING.
#if DEBUG || TESTING
    @testable import RoundhouseMedia

    /// What every test client negotiates: payload types and header extension ids of its own, and the router's.
    enum ClientCodecs {
        static let opus: UInt8 = 111
        static let vp8: UInt8 = 96
        static let vp8RTX: UInt8 = 97
        static let routerOpus: UInt8 = 100
        static let routerVP8: UInt8 = 101
        static let routerVP8RTX: UInt8 = 102

        /// The router's number for a codec.
        static func routerPayloadType(_ codec: CodecKind) -> UInt8 {
            switch codec {
            case .opus, .other: routerOpus
            case .vp8: routerVP8
            case .vp9, .h264, .h265, .av1: 110 + codec.wireNumber
            }
        }

        /// The client's numbers differ from the router's, so that a forgotten translation shows.
        static let extensions = {
            var ids = HeaderExtensionIDs()
            ids[.mid] = 9
            ids[.rid] = 10
            ids[.repairedRID] = 11
            ids[.absSendTime] = 2
            ids[.transportWideSequence] = 3
            ids[.audioLevel] = 1
            ids[.dependencyDescriptor] = 12
            ids[.videoOrientation] = 13
            return ids
        }()

        static let routerExtensions = {
            var ids = HeaderExtensionIDs()
            ids[.mid] = HeaderExtension.mid.routerID
            ids[.absSendTime] = HeaderExtension.absSendTime.routerID
            ids[.transportWideSequence] = HeaderExtension.transportWideSequence.routerID
            ids[.audioLevel] = HeaderExtension.audioLevel.routerID
            return ids
        }()

        static let videoFeedback: FeedbackSupport = [.nack, .pictureLossIndication, .fullIntraRequest, .transportWide]

        static func producerSettings(of track: PublishedTrack) -> ProducerSettings {
            let isVideo = track.kind == .video
            let hasRTX = isVideo && track.usesRTX
            var feedback: FeedbackSupport = isVideo ? videoFeedback : [.transportWide]
            if !track.wantsTransportFeedback { feedback.remove(.transportWide) }
            let codec = ProducerCodec(
                codec: track.codec, clockRate: track.clockRate, payloadType: track.payloadType,
                mappedPayloadType: routerPayloadType(track.codec), rtxPayloadType: hasRTX ? vp8RTX : nil,
                mappedRTXPayloadType: hasRTX ? routerVP8RTX : nil, feedback: feedback)
            let encodings = track.encodings.map { stream in
                // Encodings with a RID are learned from it, as with browsers.
                let isAnnounced = stream.rid == nil && track.announcesSSRCs
                return ProducerEncoding(
                    ssrc: isAnnounced ? stream.ssrc : nil, rtxSSRC: isAnnounced ? stream.rtxSSRC : nil, rid: stream.rid,
                    mappedSSRC: SSRC(stream.ssrc.rawValue ^ 0x5555_5555))
            }
            var settings = ProducerSettings(
                kind: track.kind, mid: track.mid, cname: track.cname, codecs: [codec], encodings: encodings,
                headerExtensions: track.extensions)
            if let layered = track.layered { settings.scalability = layered.scalability }
            return settings
        }

        /// What `MediaHandle.switchProducer` needs to know of a track.
        static func sourceSettings(of track: PublishedTrack) -> SourceSettings {
            let settings = producerSettings(of: track)
            return SourceSettings(
                encodings: settings.encodings.map(\.mappedSSRC), scalability: settings.scalability, cname: track.cname,
                isProducerPaused: false)
        }

        static func consumerSettings(
            of producer: ProducerSettings, ssrc: SSRC, rtxSSRC: SSRC?, mid: String, isPaused: Bool = false
        ) -> ConsumerSettings {
            let isVideo = producer.kind == .video
            let kind = producer.codecs.first?.codec ?? .other
            let codec = ConsumerCodec(
                codec: kind, clockRate: isVideo ? 90_000 : 48_000, payloadType: routerPayloadType(kind),
                rtxPayloadType: rtxSSRC != nil ? routerVP8RTX : nil,
                feedback: isVideo ? videoFeedback : [.transportWide])
            var settings = ConsumerSettings(
                kind: producer.kind, mid: mid, cname: producer.cname, codecs: [codec], ssrc: ssrc, rtxSSRC: rtxSSRC,
                encodings: producer.encodings.map(\.mappedSSRC), headerExtensions: routerExtensions, isPaused: isPaused,
                isProducerPaused: false)
            settings.scalability = producer.scalability
            return settings
        }
    }
#endif
