// Safe: a datagram is read within the length given with it; transports and paths are those of `ownSockets`, from which
// `detachSockets` takes them before they are freed.
extension Shard {
    // MARK: Opening and closing

    /// Makes a transport's sockets known to the system and to `plainDatagramReceived`.
    mutating func attach(
        _ sockets: PlainSockets, to transport: UnsafeMutablePointer<MediaTransport>,
        _ path: UnsafeMutablePointer<PlainPath>
    ) -> Bool {
        guard let number = output.attach(sockets.rtp) else { return false }
        path.pointee.socket = number
        own(number, OwnSocket(transport: transport, path: path, isRTCP: false))
        guard let rtcp = sockets.rtcp else {
            path.pointee.rtcpSocket = number
            return true
        }
        guard let number = output.attach(rtcp) else { return false }
        path.pointee.rtcpSocket = number
        own(number, OwnSocket(transport: transport, path: path, isRTCP: true))
        return true
    }

    private mutating func own(_ number: Int, _ socket: OwnSocket) {
        let index = number - localAddresses.count
        while ownSockets.count <= index { ownSockets.append(nil) }
        ownSockets[index] = socket
    }

    mutating func detachSockets(of path: UnsafeMutablePointer<PlainPath>) {
        // What is queued names the socket by its number, which another may get.
        if !arena.isEmpty { flush() }
        for number in Set([path.pointee.socket, path.pointee.rtcpSocket]) where number >= 0 {
            output.detach(number)
            ownSockets[number - localAddresses.count] = nil
        }
    }

    /// The client's side is known: its addresses, unless they are learned, and its key, if packets are protected.
    mutating func connectPlainTransport(_ key: TransportKey, _ remote: PlainRemote) {
        guard let transport = transportsByKey[key.rawValue], let path = transport.pointee.plain,
            !path.pointee.isConnected
        else { return ignored() }
        path.pointee.isConnected = true
        do throws(MediaError) {
            if let profile = path.pointee.profile, let key = remote.key {
                transport.pointee.opener = try SRTPOpener(profile: profile, master: key)
            }
        } catch {
            return transport.pointee.events.append(.commandFailed(key, error))
        }
        guard !path.pointee.isComedia, let address = remote.address else { return }
        path.pointee.rtcpRemote = path.pointee.usesRTCPMux ? address : remote.rtcpAddress
        setRemote(address, of: transport, path)
        transport.pointee.events.append(.plainTuplesChanged(key, path.pointee.tuples))
    }

    // MARK: Receiving

    /// A datagram came in on a plain transport's own socket; an SRTP packet is decrypted in place.
    mutating func plainDatagramReceived(
        _ datagram: UnsafeMutableRawBufferPointer, from remote: IPAddressPort, on socket: Int
    ) {
        let index = socket - localAddresses.count
        guard ownSockets.indices.contains(index), let own = ownSockets[index] else {
            return counters.add(.unknownDatagram)
        }
        let transport = own.transport
        let isRTCP: Bool
        switch DatagramKind.classify(UnsafeRawBufferPointer(datagram)) {
        case .rtp where !own.isRTCP: isRTCP = false
        case .rtcp where own.isRTCP || own.path.pointee.usesRTCPMux: isRTCP = true
        default: return counters.add(.unknownDatagram)
        }
        let known = isRTCP ? own.path.pointee.rtcpRemote : own.path.pointee.remote
        guard known == remote || (known == nil && own.path.pointee.isComedia) else {
            if !isRTCP { refused(.foreignSource, UnsafeRawBufferPointer(datagram), on: transport) }
            return counters.add(.foreignSource)
        }
        guard let length = plainLength(datagram, isRTCP: isRTCP, on: own) else { return }
        let isOwn: Bool
        let hasProducers = !transport.pointee.producers.isEmpty
        if isRTCP {
            let compound = UnsafeRawBufferPointer(rebasing: datagram[..<length])
            isOwn = isFromKnownSource(compound, on: transport)
            if known != nil || isOwn {
                openedRTCPReceived(compound, on: transport)
                touch(transport)
            } else {
                counters.add(.unknownSSRC)
            }
        } else {
            isOwn = openedRTPReceived(datagram, length: length, on: transport)
        }
        // A receiver sends some packet to show its address: any will do while there is no producer to belong to.
        let shows = isOwn || (!hasProducers && isWellFormed(datagram, length: length, isRTCP: isRTCP))
        guard known != nil || shows else { return }
        transport.pointee.traffic.received &+= UInt64(datagram.count)
        transport.pointee.packetsReceived &+= 1
        if known == nil { learn(remote, isRTCP: isRTCP, of: own) }
    }

    /// The length of an RTP or RTCP packet once it is in the clear; `nil` for one that was dropped.
    private func plainLength(_ datagram: UnsafeMutableRawBufferPointer, isRTCP: Bool, on own: OwnSocket) -> Int? {
        guard own.path.pointee.profile != nil else { return datagram.count }
        let transport = own.transport
        guard let start = datagram.baseAddress, transport.pointee.opener != nil else {
            counters.add(.beforeHandshake)
            return nil
        }
        let result: SRTPOpenResult
        if isRTCP {
            result = transport.pointee.opener!.openRTCP(start, count: datagram.count)  // '!' okay: checked above.
        } else {
            result = transport.pointee.opener!.openRTP(start, count: datagram.count)  // '!' okay: checked above.
        }
        switch result {
        case .opened(_, let plain, _): return plain
        case .replayed: counters.add(.srtpReplay)
        case .authenticationFailed:
            if !isRTCP { refused(.authentication, UnsafeRawBufferPointer(datagram), on: transport) }
            counters.add(.srtpAuthentication)
        case .malformed: counters.add(isRTCP ? .malformedRTCP : .malformedRTP)
        case .tooManyStreams: counters.add(.srtpTooManyStreams)
        }
        return nil
    }

    /// Whether a compound RTCP packet may show where the client is: its sender is one of its producers' streams, or
    /// there is no producer that could be asked.
    private func isFromKnownSource(
        _ compound: UnsafeRawBufferPointer, on transport: UnsafeMutablePointer<MediaTransport>
    ) -> Bool {
        guard compound.count >= 8 else { return false }
        let sender = UInt32(bigEndian: compound.loadUnaligned(fromByteOffset: 4, as: UInt32.self))
        return transport.pointee.producers.isEmpty || transport.pointee.streams.find(sender) != nil
    }

    private func isWellFormed(_ datagram: UnsafeMutableRawBufferPointer, length: Int, isRTCP: Bool) -> Bool {
        isRTCP || (try? RTPHeader(parsing: UnsafeRawBufferPointer(rebasing: datagram[..<length]))) != nil
    }

    /// The client has shown where it is. From now on it is there and nowhere else.
    private mutating func learn(_ remote: IPAddressPort, isRTCP: Bool, of own: OwnSocket) {
        let (transport, path) = (own.transport, own.path)
        if path.pointee.usesRTCPMux || isRTCP { path.pointee.rtcpRemote = remote }
        if path.pointee.usesRTCPMux || !isRTCP { setRemote(remote, of: transport, path) }
        transport.pointee.events.append(
            .plainTuplesChanged(transport.pointee.key, path.pointee.tuples))
    }

    private mutating func setRemote(
        _ remote: IPAddressPort, of transport: UnsafeMutablePointer<MediaTransport>,
        _ path: UnsafeMutablePointer<PlainPath>
    ) {
        path.pointee.remote = remote
        path.pointee.mayReceiveMedia =
            path.pointee.isComedia
            ? path.pointee.destinations.admits(learned: remote) : path.pointee.destinations.admits(named: remote)
        // Only whether there is one matters here: a plain transport is in no table of tuples.
        transport.pointee.selected = TupleID(0)
        transport.pointee.selectedAddress = remote
        transport.pointee.selectedSocket = path.pointee.socket
        transport.pointee.destination = .none
        readinessChanged(transport)
    }

    // MARK: Sending

    /// Queues the RTCP packet written at `arena.next` for a plain transport's client.
    mutating func commitRTCP(
        length: Int, to transport: UnsafeMutablePointer<MediaTransport>, _ path: UnsafeMutablePointer<PlainPath>
    ) {
        guard let remote = path.pointee.rtcpRemote else { return }
        let destination = arena.addDestination(remote, socket: path.pointee.rtcpSocket)
        arena.commit(length: length, to: destination)
        transport.pointee.packetsSent &+= 1
        transport.pointee.traffic.sent &+= UInt64(length)
        counters.add(.datagramsSent)
        counters.add(.bytesSent, UInt64(length))
    }
}
