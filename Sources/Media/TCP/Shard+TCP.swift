// Safe: packets are read from the input, from `frameScratch` and from the batcher's memory within the lengths that were
// compared; what is staged is written to `stagingSpace`.

/// TCP connections of clients that UDP does not reach (ICE-TCP, RFC 6544): this side is passive.
///
/// A connection's packets are taken and sent as a socket's datagrams are; its number stands for that of the socket.
extension Shard {
    /// The longest check of a client that has shown nothing of itself yet.
    private static let longestFirstCheck = 600
    /// What is given to the kernel at a time.
    static let stagingBytes = 32_768

    // MARK: What the system says

    /// A client has connected.
    /// - Parameters:
    ///   - remote: `nil` for a family other than IPv4 and IPv6.
    ///   - local: the address it connected to.
    /// - Returns: the connection's number; `nil` if it is to be closed at once.
    mutating func connectionAccepted(from remote: IPAddressPort?, to local: IPAddressPort) -> Int? {
        guard let remote, let number = connections.insert(remote, local: local, at: now) else {
            counters.add(.tcpConnectionsRefused)
            return nil
        }
        counters.add(.tcpConnectionsAccepted)
        return number
    }

    /// Bytes came in on a connection: packets are decrypted in place.
    mutating func streamReceived(_ bytes: UnsafeMutableRawBufferPointer, on number: Int) {
        guard let connection = connections.connection(number) else { return }
        var input = unsafe bytes
        // A packet may end its connection.
        while connections.all.contains(connection) {
            do throws(WireError) {
                guard
                    let frame = unsafe try connections.all[connection].reader.next(in: &input, scratch: frameScratch)
                else { return }
                if links.sharesPort, connections.all[connection].waitsUntil != nil,
                    unsafe handOn(connection, UnsafeRawBufferPointer(frame), rest: UnsafeRawBufferPointer(input))
                {
                    return
                }
                unsafe frameReceived(frame, on: connection)
            } catch {
                counters.add(.malformedTCP)
                return closeConnection(connection)
            }
        }
    }

    mutating func frameReceived(_ frame: UnsafeMutableRawBufferPointer, on connection: Slot<TCPConnection>) {
        let (remote, number) = (connections.all[connection].remote, TCPConnections.number(of: connection))
        guard connections.all[connection].waitsUntil != nil else {
            return unsafe datagramReceived(frame, from: remote, on: number)
        }
        // Whoever has not shown yet that it is a client can only do that.
        guard frame.count <= Self.longestFirstCheck,
            unsafe DatagramKind.classify(UnsafeRawBufferPointer(frame)) == .stun,
            unsafe namesTransport(UnsafeRawBufferPointer(frame))
        else {
            counters.add(.tcpConnectionsMisused)
            return closeConnection(connection)
        }
        unsafe datagramReceived(frame, from: remote, on: number)
        if connections.all.contains(connection), tupleNumbers.find(key(of: connection)) != nil {
            connections.checked(connection)
        }
    }

    /// A connection takes more again.
    mutating func connectionWritable(_ number: Int) {
        guard let connection = connections.connection(number) else { return }
        connections.all[connection].isBlocked = connections.all[connection].isBroken
        flushConnection(connection)
    }

    /// A client has closed its connection, or the network did.
    mutating func connectionLost(_ number: Int) {
        if let connection = connections.connection(number) { closeConnection(connection) }
    }

    // MARK: Sending

    /// Queues the datagram written at `arena.next` for a transport's connection.
    mutating func commitFrame(
        length: Int, to transport: Slot<MediaTransport>, on number: Int, stream: UInt32
    ) {
        let packet = unsafe UnsafeRawBufferPointer(start: arena.next, count: length)
        let kind: TCPFrameKind
        if stream != 0, let consumer = transports[transport].consumersBySSRC.find(stream) {
            kind = consumers[consumer].stream.kind == .audio ? .audio : .video
        } else {
            // Data channels' records are application data to DTLS; all else that is no stream's is control.
            kind = unsafe packet.first == DTLSContentType.applicationData.rawValue ? .data : .control
        }
        unsafe queueFrame(packet, kind, on: number)
        transports[transport].packetsSent &+= 1
        transports[transport].traffic.sent &+= UInt64(length)
    }

    /// Queues a packet, which is sent at the tick's end.
    mutating func queueFrame(_ packet: UnsafeRawBufferPointer, _ kind: TCPFrameKind, on number: Int) {
        guard let connection = connections.connection(number) else { return }
        if !connections.all[connection].isBlocked, !connections.all[connection].queue.hasRoom(for: packet.count, kind) {
            flushConnection(connection)
        }
        unsafe connections.all[connection].queue.append(packet, kind, at: now)
        countDropped(on: connection)
        connections.list(connection)
        countSent(packet.count)
    }

    /// Sends what waits for connections.
    /// - Returns: how often the kernel was called.
    mutating func flushConnections() -> Int {
        var writes = 0
        for connection in connections.unsent where connections.all.contains(connection) {
            connections.all[connection].isListed = false
            writes += flushConnection(connection)
        }
        connections.unsent.removeAll(keepingCapacity: true)
        return writes
    }

    /// What becomes of it beyond that is noted, for `lookAfterConnections`: this may happen amidst a packet's way to its
    /// receivers.
    @discardableResult
    private mutating func flushConnection(_ connection: Slot<TCPConnection>) -> Int {
        connections.all[connection].queue.dropStale(at: now)
        countDropped(on: connection)
        var (writes, sent) = (0, 0)
        while !connections.all[connection].isBlocked, !connections.all[connection].queue.isEmpty {
            let count = unsafe connections.all[connection].queue.stage(into: stagingSpace)
            let staged = unsafe UnsafeRawBufferPointer(rebasing: stagingSpace[..<count])
            writes += 1
            guard let taken = unsafe give(staged, to: connection) else {
                (connections.all[connection].isBroken, connections.all[connection].isBlocked) = (true, true)
                connections.noted.append(connection)
                return writes
            }
            connections.all[connection].queue.sent(taken)
            sent += taken
            connections.all[connection].isBlocked = taken < count
        }
        let waiting = connections.all[connection].queue.count
        if let rate = connections.all[connection].drain.sent(sent, waiting: waiting, at: now) {
            connections.all[connection].drained = rate
            connections.noted.append(connection)
        }
        return writes
    }

    /// - Returns: how much was taken; `nil` if the connection is broken.
    private func give(_ bytes: UnsafeRawBufferPointer, to connection: Slot<TCPConnection>) -> Int? {
        if let relay = connections.all[connection].relay { return unsafe relay.write(bytes) }
        return unsafe output.write(bytes, to: TCPConnections.number(of: connection))
    }

    private func countDropped(on connection: Slot<TCPConnection>) {
        let dropped = connections.all[connection].queue.takeDropped()
        for kind in TCPFrameKind.allCases where dropped[kind.rawValue] > 0 {
            counters.add(kind.dropReason, UInt64(dropped[kind.rawValue]))
        }
    }

    /// Whether packets wait for the connection that a transport is reached by.
    func isHeldBack(_ transport: Slot<MediaTransport>) -> Bool {
        guard case .tcp(let number, _) = transports[transport].route,
            let connection = connections.connection(number)
        else { return false }
        return !connections.all[connection].queue.isEmpty
    }

    // MARK: Looking after them

    /// Closes connections that are broken, or on which no valid check came in time, and has transports know what theirs
    /// carry.
    mutating func lookAfterConnections() {
        while let connection = connections.popExpired(at: now) {
            counters.add(.tcpConnectionsExpired)
            closeConnection(connection)
        }
        while let connection = connections.noted.popLast() {
            guard connections.all.contains(connection) else { continue }
            if connections.all[connection].isBroken {
                closeConnection(connection)
            } else if let rate = connections.all[connection].drained {
                connections.all[connection].drained = nil
                connectionDrains(rate, connection)
            }
        }
    }

    /// What a connection carries while more waits for it: its client is sent no more than that.
    private mutating func connectionDrains(_ rate: UInt64, _ connection: Slot<TCPConnection>) {
        guard let tuple = tupleNumbers.find(key(of: connection)), let transport = tuples[tuple]?.transport,
            case .tcp(TCPConnections.number(of: connection), _) = transports[transport].route
        else { return }
        pathDrained(rate, on: transport)
    }

    // MARK: Closing

    /// Ends a connection, after what it takes still. The transport that it belongs to goes on by another tuple.
    mutating func closeConnection(_ connection: Slot<TCPConnection>) {
        if !connections.all[connection].isBlocked { flushConnection(connection) }
        let (key, number) = (key(of: connection), TCPConnections.number(of: connection))
        let relay = connections.all[connection].relay
        connections.remove(connection)
        counters.add(.tcpConnectionsClosed)
        if let relay { relay.end() } else { output.closeConnection(number) }
        guard let tuple = tupleNumbers.find(key), let transport = tuples[tuple]?.transport,
            case .webRTC(let webRTC) = transports[transport].association
        else { return }
        forgetTuple(tuple)
        webRTCAssociations[webRTC].ice.tupleRemoved(TupleID(number: tuple, isTCP: true), at: now)
        iceAdvanced(transport, webRTC)
        rescheduleTimer(of: transport)
    }

    mutating func closeAllConnections() {
        for connection in connections.all.slots { closeConnection(connection) }
    }

    /// A transport has given up a tuple: if that was a connection, nobody needs it any more.
    mutating func tupleDropped(_ tuple: TupleID) {
        let number = tuples.indices.contains(tuple.number) ? tuples[tuple.number]?.key.socket : nil
        forgetTuple(tuple.number)
        if tuple.isTCP, let number, let connection = connections.connection(Int(number)) { closeConnection(connection) }
    }

    private func key(of connection: Slot<TCPConnection>) -> TupleTable.Key {
        TupleTable.Key(
            remote: connections.all[connection].remote,
            socket: UInt16(truncatingIfNeeded: TCPConnections.number(of: connection)))
    }
}

extension TCPFrameKind {
    fileprivate var dropReason: DropReason {
        switch self {
        case .control: .tcpQueueControl
        case .audio: .tcpQueueAudio
        case .data: .tcpQueueData
        case .video: .tcpQueueVideo
        }
    }
}
