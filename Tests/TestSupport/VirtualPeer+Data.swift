// Reads the media plane's internals, which a release build shows only with -enable-testing -DTESTING.
#if DEBUG || TESTING
    @testable import RoundhouseMedia

    /// A peer's data channels: an association of its own over its DTLS.
    final class VirtualData {
        fileprivate(set) var sctp: SCTPAssociation
        fileprivate(set) var received: [SCTPMessage] = []
        /// Streams that the server has reset.
        fileprivate(set) var closed: [UInt16] = []
        fileprivate(set) var end: SCTPEnd?

        fileprivate init(seed: UInt64) {
            let key = withUnsafeBytes(of: (seed, ~seed)) { HMACSHA1Key($0) }
            sctp = SCTPAssociation(secret: key)
        }

        /// What came on a stream, in order.
        func texts(on stream: UInt16) -> [String] {
            received.filter { $0.stream == stream }.map { String(decoding: $0.payload, as: UTF8.self) }
        }
    }

    extension VirtualPeer {
        /// Begins the handshake now, as browsers do with their first channel.
        func connectData() {
            let data = makeData()
            data.sctp.connect(at: now)
            advanceData(data)
        }

        /// An association, if only to answer.
        @discardableResult
        func makeData() -> VirtualData {
            if let data { return data }
            let made = VirtualData(seed: random.next())
            data = made
            return made
        }

        @discardableResult
        func sendData(
            _ payload: [UInt8], on stream: UInt16, _ kind: PayloadProtocol = .binary, isUnordered: Bool = false,
            reliability: SCTPReliability = .reliable
        ) -> SCTPSendResult {
            let data = makeData()
            let result = data.sctp.send(
                SCTPMessage(stream: stream, payloadProtocol: kind, isUnordered: isUnordered, payload: payload),
                reliability: reliability, at: now)
            advanceData(data)
            return result
        }

        /// Closes a channel.
        func resetData(_ streams: [UInt16]) {
            let data = makeData()
            _ = data.sctp.resetStreams(streams, at: now)
            advanceData(data)
        }

        func dataReceived(_ packet: [UInt8]) {
            let data = makeData()
            packet.withUnsafeBytes { data.sctp.packetReceived($0, at: now) }
            advanceData(data)
        }

        func dataDeadlineReached() {
            guard let data, let due = data.sctp.nextDeadline, due <= now else { return }
            data.sctp.deadlineReached(now)
            advanceData(data)
        }

        private func advanceData(_ data: VirtualData) {
            takeEvents(data)
            while let length = data.sctp.pollTransmit(into: scratch, at: now) {
                _ = dtls.send(Array(scratch[..<length]))
                sendDTLS()
            }
            takeEvents(data)
        }

        private func takeEvents(_ data: VirtualData) {
            while let event = data.sctp.pollEvent() {
                switch event {
                case .messageReceived(let message): data.received.append(message)
                case .incomingStreamsReset(let streams):
                    data.closed += streams
                    _ = data.sctp.resetStreams(streams, at: now)
                case .closed(let end): data.end = end
                default: break
                }
            }
        }
    }
#endif
