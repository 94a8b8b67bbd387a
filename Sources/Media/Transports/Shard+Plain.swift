// Safe: a datagram is read within the length given with it.
extension Shard {
    // MARK: Opening and closing

    /// Makes a transport's sockets known to the system and to `plainDatagramReceived`.
    mutating func attach(
        _ sockets: PlainSockets, to transport: Slot<MediaTransport>,
        _ plain: Slot<PlainAssociation>
    ) -> Bool {
        guard let number = output.attach(sockets.rtp) else { return false }
        plainAssociations[plain].socket = number
        own(number, PlainBinding(transport: transport, plain: plain, isRTCP: false))
        guard let rtcp = sockets.rtcp else {
            plainAssociations[plain].rtcpSocket = number
            return true
        }
        guard let number = output.attach(rtcp) else { return false }
        plainAssociations[plain].rtcpSocket = number
        own(number, PlainBinding(transport: transport, plain: plain, isRTCP: true))
        return true
    }

    private mutating func own(_ number: Int, _ socket: PlainBinding) {
        let index = number - Self.mostSockets
        while plainBindings.count <= index { plainBindings.append(nil) }
        plainBindings[index] = socket
    }

    mutating func detachSockets(of plain: Slot<PlainAssociation>) {
        // What is queued names the socket by its number, which another may get.
        if !arena.isEmpty { flush() }
        for number in Set([plainAssociations[plain].socket, plainAssociations[plain].rtcpSocket]) where number >= 0 {
            output.detach(number)
            plainBindings[number - Self.mostSockets] = nil
        }
    }

    /// The client's side is known: its addresses, unless they are learned, and its key, if packets are protected.
    mutating func connectPlainTransport(_ key: TransportKey, _ remote: PlainRemote) {
        guard let transport = transportsByKey[key.rawValue], case .plain(let plain) = transports[transport].association,
            !plainAssociations[plain].isConnected
        else { return ignored() }
        plainAssociations[plain].isConnected = true
        do throws(MediaError) {
            if let profile = plainAssociations[plain].profile, let key = remote.key {
                try transports[transport].protection.setRemoteKey(key, profile)
            }
        } catch {
            return transports[transport].events.append(.commandFailed(key, error))
        }
        guard !plainAssociations[plain].isComedia, let address = remote.address else { return }
        plainAssociations[plain].rtcpRemote = plainAssociations[plain].usesRTCPMux ? address : remote.rtcpAddress
        setRemote(address, of: transport, plain)
        transports[transport].events.append(.plainTuplesChanged(key, plainAssociations[plain].tuples))
    }

    // MARK: Receiving

    /// A datagram came in on a plain transport's own socket; an SRTP packet is decrypted in place.
    mutating func plainDatagramReceived(
        _ datagram: UnsafeMutableRawBufferPointer, from remote: IPAddressPort, on socket: Int
    ) {
        let index = socket - Self.mostSockets
        guard plainBindings.indices.contains(index), let own = plainBindings[index] else {
            return counters.add(.unknownDatagram)
        }
        let transport = own.transport
        let isRTCP: Bool
        switch unsafe DatagramKind.classify(UnsafeRawBufferPointer(datagram)) {
        case .rtp where !own.isRTCP: isRTCP = false
        case .rtcp where own.isRTCP || plainAssociations[own.plain].usesRTCPMux: isRTCP = true
        default: return counters.add(.unknownDatagram)
        }
        var known = isRTCP ? plainAssociations[own.plain].rtcpRemote : plainAssociations[own.plain].remote
        let hasProducers = !transports[transport].producers.isEmpty
        // It has to be one of its streams. A client that sends none is silent by its nature: whoever sent any packet in its
        // place would be sent what is meant for it.
        let follows =
            hasProducers && !isRTCP && known != nil && known != remote
            && plainAssociations[own.plain].mayFollow(at: now)
        if follows { known = nil }
        guard known == remote || (known == nil && plainAssociations[own.plain].isComedia) else {
            if !isRTCP { unsafe refused(.foreignSource, UnsafeRawBufferPointer(datagram), on: transport) }
            return counters.add(.foreignSource)
        }
        guard let length = unsafe plainLength(datagram, isRTCP: isRTCP, on: own) else { return }
        let isOwn: Bool
        if isRTCP {
            let compound = unsafe UnsafeRawBufferPointer(rebasing: datagram[..<length])
            isOwn = unsafe isFromKnownSource(compound, on: transport)
            if known != nil || isOwn {
                unsafe openedRTCPReceived(compound, on: transport)
                rescheduleTimer(of: transport)
            } else {
                counters.add(.unknownSSRC)
            }
        } else {
            isOwn = unsafe openedRTPReceived(datagram, length: length, on: transport)
        }
        // A receiver sends some packet to show its address: any will do while there is no producer to belong to.
        let shows = unsafe isOwn || (!hasProducers && isWellFormed(datagram, length: length, isRTCP: isRTCP))
        guard known != nil || shows else { return }
        if !isRTCP { plainAssociations[own.plain].heard = now }
        // What it reports comes from its new sockets, too.
        if follows { plainAssociations[own.plain].rtcpRemote = nil }
        transports[transport].traffic.received &+= UInt64(datagram.count)
        transports[transport].packetsReceived &+= 1
        if known == nil { learn(remote, isRTCP: isRTCP, of: own) }
    }

    /// The length of an RTP or RTCP packet once it is in the clear; `nil` for one that was dropped.
    private mutating func plainLength(
        _ datagram: UnsafeMutableRawBufferPointer, isRTCP: Bool, on own: PlainBinding
    ) -> Int? {
        let transport = own.transport
        let opened =
            unsafe isRTCP
            ? transports[transport].protection.openRTCP(datagram) : transports[transport].protection.openRTP(datagram)
        switch opened {
        case .packet(let length): return length
        case .dropped(let reason):
            if reason == .srtpAuthentication, !isRTCP {
                unsafe refused(.authentication, UnsafeRawBufferPointer(datagram), on: transport)
            }
            counters.add(reason)
            return nil
        }
    }

    /// Whether a compound RTCP packet may show where the client is: its sender is one of its producers' streams, or
    /// there is no producer that could be asked.
    private func isFromKnownSource(
        _ compound: UnsafeRawBufferPointer, on transport: Slot<MediaTransport>
    ) -> Bool {
        guard compound.count >= 8 else { return false }
        let sender = unsafe UInt32(bigEndian: compound.loadUnaligned(fromByteOffset: 4, as: UInt32.self))
        return transports[transport].producers.isEmpty || transports[transport].streams.find(sender) != nil
    }

    private func isWellFormed(_ datagram: UnsafeMutableRawBufferPointer, length: Int, isRTCP: Bool) -> Bool {
        unsafe isRTCP || (try? RTPHeader(parsing: UnsafeRawBufferPointer(rebasing: datagram[..<length]))) != nil
    }

    /// The client has shown where it is. From now on it is there and nowhere else.
    private mutating func learn(_ remote: IPAddressPort, isRTCP: Bool, of own: PlainBinding) {
        let (transport, plain) = (own.transport, own.plain)
        let sharesPort = plainAssociations[plain].usesRTCPMux
        // Senders like ffmpeg have a socket for reports, also where these go to RTP's port: from there no RTP comes.
        let isForBoth = sharesPort && transports[transport].producers.isEmpty
        if isRTCP || (sharesPort && plainAssociations[plain].rtcpRemote == nil) {
            plainAssociations[plain].rtcpRemote = remote
        }
        if !isRTCP || isForBoth { setRemote(remote, of: transport, plain) }
        transports[transport].events.append(
            .plainTuplesChanged(transports[transport].key, plainAssociations[plain].tuples))
    }

    private mutating func setRemote(
        _ remote: IPAddressPort, of transport: Slot<MediaTransport>,
        _ plain: Slot<PlainAssociation>
    ) {
        plainAssociations[plain].remote = remote
        plainAssociations[plain].mayReceiveMedia =
            plainAssociations[plain].isComedia
            ? plainAssociations[plain].destinations.admits(learned: remote)
            : plainAssociations[plain].destinations.admits(named: remote)
        setRoute(.udp(socket: plainAssociations[plain].socket, remote: remote), of: transport)
        readinessChanged(transport)
    }
}
