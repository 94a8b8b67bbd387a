/// How a transport's client is reached and known: each kind with the machines it needs, and no other.
enum Association {
    /// ICE and DTLS-SRTP, on the shard's sockets.
    case webRTC(Slot<WebRTCAssociation>)
    /// RTP and RTCP as they are, or SRTP with keys from signaling, on sockets of the transport's own.
    case plain(Slot<PlainAssociation>)
}

/// What differs between transports by their kind: everything else in a shard does without it.
extension Shard {
    /// Whether consumers' packets may be sent, once there are an address and keys: not to whatever address a plain
    /// transport's client names.
    func sendsMedia(_ transport: Slot<MediaTransport>) -> Bool {
        guard transports[transport].isReady else { return false }
        switch transports[transport].association {
        case .webRTC: return true
        case .plain(let plain): return plainAssociations[plain].mayReceiveMedia
        }
    }

    /// Whether RTCP can be sent: the client of a plain transport may have shown RTP's address alone.
    func sendsRTCP(_ transport: Slot<MediaTransport>) -> Bool {
        guard transports[transport].isReady else { return false }
        switch transports[transport].association {
        case .webRTC: return true
        case .plain(let plain): return plainAssociations[plain].rtcpRemote != nil
        }
    }

    /// Whether the client's media could be read, if it came.
    func receivesMedia(_ transport: Slot<MediaTransport>) -> Bool {
        switch transports[transport].association {
        case .webRTC: transports[transport].protection.canReceive
        case .plain: true
        }
    }

    /// When there is something to do for a transport's association.
    func nextAssociationDeadline(of transport: Slot<MediaTransport>) -> MediaInstant? {
        switch transports[transport].association {
        case .webRTC(let webRTC):
            earliest(
                earliest(webRTCAssociations[webRTC].ice.nextDeadline, webRTCAssociations[webRTC].dtls.nextDeadline),
                webRTCAssociations[webRTC].data.flatMap {
                    // Held back, it polls nothing: what is due by then waits, too.
                    earliest(
                        data.associations[$0].resumesAt ?? data.associations[$0].sctp.nextDeadline,
                        data.associations[$0].flushesAt)
                })
        case .plain: nil
        }
    }

    /// Everything an association has to do by now.
    mutating func associationDeadlineReached(_ transport: Slot<MediaTransport>) {
        switch transports[transport].association {
        case .webRTC(let webRTC): deadlineReached(webRTC, of: transport)
        case .plain: break
        }
    }

    /// Adds what a transport's statistics say about how it is connected.
    func addAssociation(of transport: Slot<MediaTransport>, to statistics: inout TransportStatistics) {
        switch transports[transport].association {
        case .webRTC(let webRTC):
            statistics.iceState = webRTCAssociations[webRTC].ice.state
            statistics.dtlsState = webRTCAssociations[webRTC].dtlsState
            statistics.selectedTuple = selectedTuple(of: transport)
            statistics.data = dataStatistics(of: webRTC)
        case .plain(let plain): statistics.plain = plainAssociations[plain].tuples
        }
    }

    /// Ends an association, with what its client is sent about it, and takes it out of every table.
    mutating func closeAssociation(of transport: Slot<MediaTransport>) {
        switch transports[transport].association {
        case .webRTC(let webRTC): close(webRTC, of: transport)
        case .plain(let plain):
            detachSockets(of: plain)
            plainAssociations.remove(plain)
        }
    }

    // MARK: Snapshot

    func writeAssociation(of transport: Slot<MediaTransport>, to writer: inout SnapshotWriter) {
        switch transports[transport].association {
        case .webRTC(let webRTC):
            writer.writeUInt8(1)
            webRTCAssociations[webRTC].write(to: &writer)
        case .plain(let plain):
            writer.writeUInt8(2)
            plainAssociations[plain].write(to: &writer)
        }
    }

    /// - Parameter sockets: of a plain transport.
    mutating func restoreAssociation(
        from reader: inout SnapshotReader, sockets: () -> PlainSockets?
    ) throws(WireError) -> Association {
        switch try reader.readUInt8() {
        case 1:
            return .webRTC(
                webRTCAssociations.insert(try WebRTCAssociation(restoring: &reader, certificate: certificate)))
        case 2:
            guard let own = sockets() else { throw .malformed }
            return .plain(plainAssociations.insert(try PlainAssociation(restoring: &reader, own)))
        default: throw .malformed
        }
    }

    /// Whether what a restored association names is there, and is its own.
    func isAssociationWhole(of transport: Slot<MediaTransport>) -> Bool {
        switch transports[transport].association {
        case .webRTC(let webRTC):
            webRTCAssociations[webRTC].ice.tuples.allSatisfy { tuple in
                tuples.indices.contains(tuple.number) && tuples[tuple.number]?.transport == transport
            }
        case .plain: true
        }
    }

    /// Puts what a restored association needs into the shard's tables.
    mutating func associationRestored(_ transport: Slot<MediaTransport>) throws(WireError) {
        switch transports[transport].association {
        case .webRTC(let webRTC):
            if case .udp(let socket, _) = transports[transport].route, socket >= localAddresses.count {
                throw .malformed
            }
            for fragment in webRTCAssociations[webRTC].usernameFragments {
                transportsByUsernameFragment[fragment] = transport
            }
        case .plain(let plain):
            guard attach(plainAssociations[plain].sockets, to: transport, plain) else { throw .malformed }
            if case .udp(_, let remote) = transports[transport].route {
                transports[transport].route = .udp(socket: plainAssociations[plain].socket, remote: remote)
            }
        }
    }
}
