// Reads the media plane's internals, which a release build shows only with -enable-testing -DTESTING.
#if DEBUG || TESTING
    @testable import RoundhouseMedia

    /// A client of a plain transport: writes and reads RTP and RTCP by hand, in the clear or with keys of its own.
    // Safe: packets are written to arrays that are long enough for the longest tag.
    final class PlainClient {
        let world: VirtualWorld
        let queue: EventQueue
        let transport: TransportKey
        let endpoint: PlainEndpoint
        /// Where it sends from, and is reached.
        let address: IPAddressPort
        let rtcpAddress: IPAddressPort
        private let server: IPAddressPort
        private let serverRTCP: IPAddressPort
        private var sealer: SRTPSender?
        private var opener: SRTPReceiver?
        private var drained: [MediaEvent] = []

        /// Anywhere.
        static let anywhere = PlainDestinations(ranges: ["0.0.0.0/0", "::/0"].compactMap(IPAddressRange.init))

        /// - Parameter keys: protect what each side sends: `local` the client's.
        init(
            in world: VirtualWorld, isComedia: Bool = true, keepsAddress: Bool = false, usesRTCPMux: Bool = false,
            keys: SRTPKeyingMaterial? = nil,
            destinations: PlainDestinations = PlainClient.anywhere
        ) throws {
            self.world = world
            queue = EventQueue {}
            let protection = keys.map { PlainProtection(profile: $0.profile, local: $0.remote) }
            (transport, endpoint) = try world.server.handle.openPlainTransport(
                PlainTransportSettings(
                    isComedia: isComedia, keepsAddress: keepsAddress, usesRTCPMux: usesRTCPMux, protection: protection,
                    destinations: destinations),
                events: queue)
            if let keys {
                sealer = try SRTPSender(profile: keys.profile, master: keys.local)
                opener = try SRTPReceiver(profile: keys.profile, master: keys.remote)
            }
            let host = world.server.addresses[0][0]
            server = host.withPort(endpoint.port)
            serverRTCP = host.withPort(endpoint.rtcpPort ?? endpoint.port)
            address = world.makeAddress()
            rtcpAddress = usesRTCPMux ? address : address.withPort(address.port + 1)
            world.listen(on: address)
            if !usesRTCPMux { world.listen(on: rtcpAddress) }
        }

        /// A producer of one stream that is known by its SSRC, as a track that others can subscribe to.
        func produce(
            _ kind: MediaKind, ssrc: SSRC, change: (inout ProducerSettings) -> Void = { _ in }
        ) throws -> PublishedTrack {
            let stream = PublishedStream(ssrc: ssrc, rtxSSRC: nil, rid: nil, firstSequence: 1, timestamp: 0)
            let track = PublishedTrack(kind: kind, mid: "0", cname: "plain", encodings: [stream], usesRTX: false)
            var settings = ClientCodecs.producerSettings(of: track)
            settings.encodings[0].ssrc = ssrc
            settings.mid = nil
            settings.headerExtensions = HeaderExtensionIDs()
            change(&settings)
            track.producer = try world.server.handle.openProducer(settings, on: transport)
            return track
        }

        /// A consumer of another's track, which writes to our address.
        func consume(_ track: PublishedTrack, ssrc: SSRC) throws {
            guard let producer = track.producer else { throw MediaError(.notFound, "the track is not published") }
            let settings = ClientCodecs.consumerSettings(
                of: ClientCodecs.producerSettings(of: track), ssrc: ssrc, rtxSSRC: nil, mid: "0")
            _ = try world.server.handle.openConsumer(settings, of: producer, on: transport)
        }

        func connect(rtcpPort: UInt16? = nil, key: SRTPMasterKey? = nil) throws {
            let remote = PlainRemote(
                ip: address.addressText, port: address.port, rtcpPort: rtcpPort ?? rtcpAddress.port, key: key)
            guard let remote else { throw MediaError(.invalidSetting, "no address") }
            try world.server.handle.connectPlainTransport(transport, to: remote)
        }

        /// An RTP packet of a stream, with content that a `SubscribedStream` knows again.
        func packet(
            _ kind: MediaKind, ssrc: SSRC, number: UInt64, isKeyFrame: Bool = true
        ) -> [UInt8] {
            let codec = kind == .video ? CodecKind.vp8 : .opus
            var bytes = [UInt8](repeating: 0, count: 12 + TestPayload.shortest + 40)
            bytes.withUnsafeMutableBytes { buffer in
                buffer[0] = 0x80
                buffer[1] = 0x80 | (kind == .video ? ClientCodecs.vp8 : ClientCodecs.opus)
                buffer.storeBytes(
                    of: UInt16(truncatingIfNeeded: number).bigEndian, toByteOffset: 2, as: UInt16.self)
                buffer.storeBytes(
                    of: UInt32(truncatingIfNeeded: number &* 3000).bigEndian, toByteOffset: 4, as: UInt32.self)
                buffer.storeBytes(of: ssrc.rawValue.bigEndian, toByteOffset: 8, as: UInt32.self)
                TestPayload.write(
                    TestPayload.Content(stream: ssrc.rawValue, number: number), codec: codec, isFrameStart: true,
                    isKeyFrame: isKeyFrame, into: UnsafeMutableRawBufferPointer(rebasing: buffer[12...]))
            }
            return bytes
        }

        func send(_ packet: [UInt8], from source: IPAddressPort? = nil) {
            var bytes = packet + [UInt8](repeating: 0, count: 16)
            var length = packet.count
            if sealer != nil {
                let sequence = UInt64(packet[2]) << 8 | UInt64(packet[3])
                let ssrc = packet[8..<12].reduce(UInt32(0)) { $0 << 8 | UInt32($1) }
                length = bytes.withUnsafeMutableBytes { buffer in
                    // '!' okay: the arrays are not empty.
                    sealer!.sealRTP(
                        buffer.baseAddress!, headerLength: 12, payload: UnsafeRawPointer(buffer.baseAddress! + 12),
                        payloadLength: packet.count - 12, ssrc: ssrc, index: sequence)
                }
            }
            world.inject(Array(bytes[..<length]), from: source ?? address, to: server)
        }

        /// A sender report of a stream.
        func sendReport(ssrc: SSRC, from source: IPAddressPort? = nil, toRTP: Bool = false) throws {
            let report = SenderReport(
                ssrc: ssrc, ntp: NTPTimestamp(rawValue: 1 << 32), rtpTimestamp: RTPTimestamp(1), packetCount: 1,
                octetCount: 1)
            var bytes = [UInt8](repeating: 0, count: 128)
            let length = try bytes.withUnsafeMutableBytes { buffer in
                var writer = ByteWriter(buffer)
                try report.write(into: &writer)
                let count = writer.count
                // '!' okay: the array is not empty; sealing adds 20 bytes at most.
                return sealer?.sealRTCP(buffer.baseAddress!, count: count) ?? count
            }
            world.inject(
                Array(bytes[..<length]), from: source ?? rtcpAddress, to: toRTP ? server : serverRTCP)
        }

        /// The RTP packets that came, in the clear.
        func takePackets() -> [[UInt8]] {
            world.takeMail(of: address).filter { !Self.isRTCP($0) }.compactMap { opened($0, isRTCP: false) }
        }

        /// The RTCP packets that came, in the clear, each compound taken apart: type and bytes.
        func takeRTCP() -> [(type: UInt8, count: UInt8)] {
            world.takeMail(of: rtcpAddress).filter(Self.isRTCP).compactMap { opened($0, isRTCP: true) }.flatMap {
                bytes in
                var list: [(UInt8, UInt8)] = []
                var offset = 0
                while offset + 4 <= bytes.count {
                    list.append((bytes[offset + 1], bytes[offset] & 0x1F))
                    offset += 4 * (Int(bytes[offset + 2]) << 8 + Int(bytes[offset + 3]) + 1)
                }
                return list
            }
        }

        private func opened(_ datagram: [UInt8], isRTCP: Bool) -> [UInt8]? {
            guard opener != nil else { return datagram }
            var bytes = datagram
            let result = bytes.withUnsafeMutableBytes { buffer in
                // '!' okay: datagrams are not empty.
                isRTCP
                    ? opener!.openRTCP(buffer.baseAddress!, count: buffer.count)
                    : opener!.openRTP(buffer.baseAddress!, count: buffer.count)
            }
            guard case .opened(_, let length, _) = result else { return nil }
            return Array(bytes[..<length])
        }

        private static func isRTCP(_ bytes: [UInt8]) -> Bool { bytes.count > 1 && (192...223).contains(bytes[1]) }

        var events: [MediaEvent] {
            drained.append(contentsOf: queue.drain().events)
            return drained
        }

        var tuples: [PlainTuples] {
            events.compactMap { if case .plainTuplesChanged(_, let tuples) = $0 { tuples } else { nil } }
        }

        var failures: [MediaError] {
            events.compactMap { if case .commandFailed(_, let error) = $0 { error } else { nil } }
        }

        var statistics: TransportStatistics? {
            events.reversed().lazy.compactMap { event -> TransportStatistics? in
                if case .statistics(_, let list) = event { list.first } else { nil }
            }.first
        }

        func collectStatistics() throws {
            _ = try world.server.handle.collectStatistics(token: 1, of: [transport], events: queue)
        }
    }
#endif
