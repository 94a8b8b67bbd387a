import Logging
import RoundhouseMedia
import RoundhouseRooms

/// Brings offers into rooms: what protoo does in six requests, WHIP and WHEP do in one.
struct SDPNegotiator: Sendable {
    let rooms: RoomRegistry
    let sessions: SDPSessionTable
    let logger: Logger
    /// Time for a client to connect its transport; consent (RFC 7675) watches over it only from then on.
    var connectTimeout = Duration.seconds(30)

    /// Why there is no session.
    struct Refusal: Error {
        var code: String
        var status: Int
        var message: String
        /// In seconds, if waiting may help.
        var retryAfter: Int?

        init(_ code: String, status: Int, _ message: String, retryAfter: Int? = nil) {
            self.code = code
            self.status = status
            self.message = message
            self.retryAfter = retryAfter
        }

        init(_ error: RoomError) {
            let isPassing = [.overloaded, .timedOut, .rateLimited].contains(error.code)
            self.init(
                error.code.name, status: error.code.httpStatus, error.message, retryAfter: isPassing ? 1 : nil)
        }
    }

    struct Negotiated: Sendable {
        var session: SDPSession
        var answer: SessionDescription
    }

    // MARK: WHIP

    /// A publisher becomes a peer that everybody in the room sees.
    /// - Parameters:
    ///   - displayName: what people see; `WHIP`, `WHIP 2` and so on where the client gives none.
    ///   - isPartial: sections that cannot be taken are left out, if any can.
    func publish(
        _ offer: SDPOffer, room: String, password: String = "", grant: PeerGrant = .everything, lease: HoldingLease,
        servers: ICEServers? = nil, peerID: PeerID?, displayName: String?, isPartial: Bool = false
    ) async throws(Refusal) -> Negotiated {
        try requireWay(offer)
        let parameters = try accepted(offer, isPartial: isPartial, by: rooms.routerCapabilities(of: RoomID(room)))
        return try await open(
            "whip", offer, room: room, password: password, grant: grant, lease: lease, servers: servers, peerID: peerID
        ) {
            room, peer, transport, session throws(RoomError) in
            let device = DeviceDescription(flag: "whip", name: "WHIP")
            let displayName = displayName ?? (session.number == 1 ? "WHIP" : "WHIP \(session.number)")
            _ = try await room.request(.join(JoinRequest(displayName: displayName, device: device)), from: peer)
            var sections: [SDPAnswer.Section] = []
            for (media, parameters) in zip(offer.media, parameters) {
                guard let parameters, let kind = media.kind else {
                    sections.append(
                        grant.permissions.contains(.data) ? channels(media, of: offer, transport) : .rejected)
                    continue
                }
                let source = kind == .audio ? "microphone" : "camera"
                let produce = ProduceRequest(
                    transportID: transport.id, kind: kind, rtpParameters: parameters,
                    appData: .object(["source": .string(source)]))
                _ = try await room.request(.produce(produce), from: peer)
                sections.append(.receives(parameters))
            }
            return (sections, [])
        }
    }

    /// A client that names no way over UDP would wait for a connection that cannot come, where there is none over TCP.
    private func requireWay(_ offer: SDPOffer) throws(Refusal) {
        let hasTCP = rooms.endpoints.contains { $0.addresses.contains { $0.transport == .tcp } }
        guard hasTCP || !offer.isReachableByTCPOnly else {
            throw Refusal("unsupported", status: 422, "all candidates of the offer are TCP: media goes over UDP here")
        }
    }

    /// What is taken of each section; `nil` of one in which the client sends neither sound nor pictures.
    ///
    /// All that the client means to send is taken, or nothing (RFC 9725 §4.4): a publisher whose picture alone was refused
    /// would believe itself seen.
    private func accepted(
        _ offer: SDPOffer, isPartial: Bool, by capabilities: RTPCapabilities
    ) throws(Refusal) -> [RTPParameters?] {
        var refusals: [String] = []
        var isAnySent = offer.channels != nil
        let parameters = offer.media.enumerated().map { index, media -> RTPParameters? in
            guard media.isMediaSentToUs else { return nil }
            isAnySent = true
            guard let refusal = media.refusal(in: offer.bundle, by: capabilities) else {
                return media.producerParameters(for: capabilities)
            }
            refusals.append("section \(index + 1) (\(media.description.media), mid \(media.mid)): \(refusal)")
            return nil
        }
        guard isAnySent else {
            throw Refusal("unsupported", status: 422, "no section offers to send audio, video or data")
        }
        guard refusals.isEmpty || isPartial && parameters.contains(where: { $0 != nil }) else {
            throw Refusal("unsupported", status: 422, refusals.joined(separator: "; "))
        }
        return parameters
    }

    // MARK: WHEP

    /// A viewer becomes a peer that nobody sees.
    /// - Parameter publisher: whose media; the first publishing peer's if `nil`.
    func watch(
        _ offer: SDPOffer, room name: String, password: String = "", grant: PeerGrant = .everything,
        lease: HoldingLease, servers: ICEServers? = nil, publisher: PeerID?
    ) async throws(Refusal) -> Negotiated {
        try requireWay(offer)
        guard rooms.isPassword(password, of: RoomID(name)) else {
            throw Refusal(RoomError(.wrongPassword, "wrong password"))
        }
        guard let room = rooms.room(RoomID(name)) else {
            throw Refusal("room-not-found", status: 404, "nobody is in this room yet: try again", retryAfter: 2)
        }
        let published = await room.publications()
        guard let chosen = publisher ?? published.first?.peerID,
            published.contains(where: { $0.peerID == chosen })
        else {
            throw Refusal(
                "nothing-published", status: 409,
                "\(publisher == nil ? "nobody in this room" : "this peer") publishes anything yet: try again",
                retryAfter: 2)
        }
        guard offer.media.contains(where: { $0.isUsable(in: offer.bundle) && $0.mayBeSentByUs }) else {
            throw Refusal("unsupported", status: 422, "no section offers to receive, bundled and with rtcp-mux")
        }
        let streamID = "\(chosen.rawValue.utf8.reduce(UInt64(5381)) { $0 &* 33 &+ UInt64($1) })"
        return try await open(
            "whep", offer, room: name, password: password, grant: grant, lease: lease, servers: servers, peerID: nil
        ) {
            room, peer, transport, _ throws(RoomError) in
            var left = published.filter { $0.peerID == chosen }
            var sections: [SDPAnswer.Section] = []
            var consumers: [ConsumerID] = []
            for media in offer.media {
                guard media.isUsable(in: offer.bundle), media.mayBeSentByUs,
                    let consumer = try await consume(&left, media, in: room, as: peer, on: transport.id)
                else {
                    sections.append(channels(media, of: offer, transport))
                    continue
                }
                consumers.append(consumer.id)
                sections.append(
                    .sends(consumer.rtpParameters, streamID: streamID, trackID: consumer.producerID.rawValue))
            }
            guard !consumers.isEmpty else {
                throw RoomError(.unsupported, "the offer has no codec and kind of what is published")
            }
            if transport.dataChannels != nil { try await room.watchData(of: publisher, by: peer) }
            return (sections, consumers)
        }
    }

    /// The next of the publisher's producers that fits the section.
    private func consume(
        _ left: inout [Publication], _ media: OfferedMedia, in room: Room, as peer: PeerSession,
        on transport: TransportID
    ) async throws(RoomError) -> NewConsumerRequest? {
        for publication in left where publication.kind == media.kind {
            left.removeAll { $0.producerID == publication.producerID }
            let request = ConsumeRequest(
                transportID: transport, producerID: publication.producerID,
                rtpCapabilities: media.receiverCapabilities, mid: media.mid, usesClientIDs: true)
            do {
                let response = try await room.request(.consume(request), from: peer)
                guard case .consumer(let consumer) = response else { return nil }
                return consumer
            } catch {
                // Another codec, or closed since: the next one may fit.
                guard error.code == .unsupported || error.code == .producerNotFound else { throw error }
            }
        }
        return nil
    }

    // MARK: Both

    private typealias Fill = (
        Room, PeerSession, WebRtcTransportDescription, SDPSession
    ) async throws(RoomError) -> (sections: [SDPAnswer.Section], consumers: [ConsumerID])

    /// Connects a peer with one connected transport, has it filled, and answers; a peer that fails leaves again.
    private func open(
        _ endpoint: String, _ offer: SDPOffer, room name: String, password: String, grant: PeerGrant,
        lease: HoldingLease, servers: ICEServers?, peerID: PeerID?, fill: Fill
    ) async throws(Refusal) -> Negotiated {
        let session = sessions.make(
            endpoint: endpoint, room: name, clientFragment: offer.iceUsernameFragment, lease: lease,
            servers: servers)
        // The identifier is a secret, and a peer's name is not.
        let peerID = peerID ?? PeerID("\(endpoint)-\(String(UInt32.random(in: 0x1000_0000 ... .max), radix: 16))")
        do throws(RoomError) {
            let (room, peer) = try await rooms.connect(
                peerID, to: RoomID(name), password: password, grant: grant, through: session)
            await session.membership.entered(RoomMember(room: room, peer: peer))
            let isPublishing = endpoint == "whip"
            let create = CreateWebRtcTransportRequest(
                producing: isPublishing, consuming: !isPublishing, dataChannels: Self.dataChannels(offer))
            guard
                case .webRtcTransport(let transport) = try await room.request(
                    .createWebRtcTransport(create), from: peer)
            else { throw RoomError(.internalError, "the room gave no transport") }
            let parameters = RemoteDTLSParameters(role: offer.dtlsRole, fingerprints: offer.fingerprints)
            _ = try await room.request(
                .connectWebRtcTransport(.init(transportID: transport.id, dtlsParameters: parameters)), from: peer)
            let (sections, consumers) = try await fill(room, peer, transport, session)
            let answer = SDPAnswer(
                offer: offer, sections: sections, transport: transport, sessionID: .random(in: 1...UInt64(Int64.max)))
            await session.started(transport, mid: offer.bundle[0], consumers: consumers)
            expectConnection(of: session)
            logger.info("peer connected", metadata: ["room.id": "\(name)", "peer.id": "\(peerID)"])
            return Negotiated(session: session, answer: answer.description)
        } catch {
            await session.membership.leave()
            sessions.remove(session.key)
            throw Refusal(error)
        }
    }

    /// What becomes of a section that carries nothing else.
    private func channels(
        _ media: OfferedMedia, of offer: SDPOffer, _ transport: WebRtcTransportDescription
    ) -> SDPAnswer.Section {
        guard let settings = transport.dataChannels, media.mid == offer.channels?.mid else { return .rejected }
        return .channels(largestMessage: settings.largestMessage)
    }

    /// What the transport needs for an offer's data channels; `nil` without.
    private static func dataChannels(_ offer: SDPOffer) -> DataChannelsRequest? {
        guard let section = offer.channels else { return nil }
        var settings = DataTransportSettings()
        settings.largestSentMessage = section.largestMessage
        settings.inBandRole = offer.dtlsRole == .client ? .server : .client
        return DataChannelsRequest(settings: settings)
    }

    /// Ends a session whose client never came.
    private func expectConnection(of session: SDPSession) {
        Task { [weak session, connectTimeout, logger] in
            try? await Task.sleep(for: connectTimeout)
            guard let session, !session.membership.isOver, let member = session.membership.member,
                let transport = session.transport?.description, await !member.room.hasConnected(transport.id)
            else { return }
            logger.info("session ended: never connected", metadata: ["peer.id": "\(member.peer.peerID)"])
            await session.membership.leave()
        }
    }
}
