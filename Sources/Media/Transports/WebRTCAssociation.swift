/// A browser's association: ICE finds the way, DTLS the keys (RFC 8445, RFC 5764).
struct WebRTCAssociation: ~Copyable {
    var ice: ICELiteAgent
    var dtls: DTLSConnection
    /// The client's side of the handshake, as the room said; `auto` until then.
    var dtlsRole = DTLSRole.auto
    var isHandshakeStarted = false
    /// As the room knows it.
    var dtlsState = DTLSState.new
    /// Of the present credentials, and of those before a restart.
    var usernameFragments: [String]
    /// What an SCTP association is made with; `nil` where there are no data channels. In a snapshot both are data's.
    var dataSettings: DataTransportSettings?
    /// Once it is needed.
    var data: Slot<DataAssociation>?

    init(_ settings: TransportSettings, _ dtls: DTLSConnection) {
        ice = ICELiteAgent(credentials: settings.iceCredentials, consentTimeout: settings.consentTimeout)
        self.dtls = dtls
        usernameFragments = [settings.iceCredentials.usernameFragment]
        dataSettings = settings.data
    }
}

// MARK: Snapshot

extension WebRTCAssociation {
    /// - Parameter certificate: for a new handshake: one that was not over cannot be continued. Its client repeats its
    ///   first flight.
    init(restoring reader: inout SnapshotReader, certificate: DTLSCertificate) throws(WireError) {
        try reader.readVersion(1)
        let ice: ICELiteAgent = try reader.read()
        let role = try Self.role(from: &reader)
        var fragments: [String] = []
        for _ in 0..<(try reader.readCount(atMost: 64)) { fragments.append(try reader.readText(atMost: 256)) }
        let isOver: Bool = try reader.read()
        let state = isOver ? try Self.state(from: &reader) : .new
        let dtls: DTLSConnection
        if isOver {
            guard let restored = DTLSConnection(restoring: try DTLSConnection.Snapshot(from: &reader)) else {
                throw .malformed
            }
            dtls = restored
        } else {
            do throws(MediaError) { dtls = try DTLSConnection(certificate: certificate) } catch {
                throw WireError.malformed
            }
        }
        self.ice = ice
        self.dtls = dtls
        dtlsRole = role
        dtlsState = state
        isHandshakeStarted = isOver
        usernameFragments = fragments
    }

    func write(to writer: inout SnapshotWriter) {
        writer.writeUInt8(1)
        writer.write(ice)
        switch dtlsRole {
        case .auto: writer.writeUInt8(1)
        case .client: writer.writeUInt8(2)
        case .server: writer.writeUInt8(3)
        }
        writer.writeCount(usernameFragments.count)
        for fragment in usernameFragments { writer.writeText(fragment) }
        let saved = dtls.snapshot
        writer.write(saved != nil)
        guard let saved else { return }
        switch dtlsState {
        case .new: writer.writeUInt8(1)
        case .connecting: writer.writeUInt8(2)
        case .connected: writer.writeUInt8(3)
        case .failed: writer.writeUInt8(4)
        case .closed: writer.writeUInt8(5)
        }
        saved.write(to: &writer)
    }

    private static func role(from reader: inout SnapshotReader) throws(WireError) -> DTLSRole {
        switch try reader.readUInt8() {
        case 1: .auto
        case 2: .client
        case 3: .server
        default: throw .malformed
        }
    }

    private static func state(from reader: inout SnapshotReader) throws(WireError) -> DTLSState {
        switch try reader.readUInt8() {
        case 1: .new
        case 2: .connecting
        case 3: .connected
        case 4: .failed
        case 5: .closed
        default: throw .malformed
        }
    }
}
