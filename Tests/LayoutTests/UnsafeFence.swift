/// Where unsafe code may be: what reads and writes bytes, calls C, or owns memory. Everything else holds values and slots.
///
/// A file that is to join needs a reason that a container of these files cannot serve.
enum UnsafeFence {
    /// Folder → its files.
    static let files: [String: Set<String>] = [
        "Sources/Gateway/Access/JOSE": [
            "PublicKeyPEM", "SignatureVerifier",
        ],
        "Sources/Gateway/HTTP2": [
            "HTTP2Callbacks", "HTTP2Fields", "HTTP2Session", "HTTP2Stream",
        ],
        "Sources/Gateway/Routing": [
            "StaticAssets"
        ],
        "Sources/Gateway/TLS": [
            "BlockingExchange", "TLSConnection", "TLSConnection+Callbacks", "TLSContext", "TLSFile",
        ],
        "Sources/Media": [
            "Box"
        ],
        "Sources/Media/Congestion": [
            "TransportWideRecorder"
        ],
        "Sources/Media/Data": [
            "Shard+Data", "Shard+DataObjects",
        ],
        "Sources/Media/Decisions": [
            "BandwidthReplay"
        ],
        "Sources/Media/DTLS": [
            "DTLSCertificate", "DTLSConnection", "DTLSHandshake+Callbacks", "DTLSHandshake", "DTLSRecordCipher",
            "DTLSRecordHeader", "DTLSRecordKeys", "DTLSRecordLayer", "DTLSRecordTrace", "DatagramQueue", "PEMFile",
            "SelfSignedCertificate",
        ],
        "Sources/Media/Feed": [
            "GOPCache", "StoredPacket",
        ],
        "Sources/Media/ICE": [
            "ICECredentials", "ICELiteAgent+Checks",
        ],
        "Sources/Media/Incoming": [
            "SegmentPadding", "Shard+Incoming", "Shard+Learning", "Shard+Reception",
        ],
        "Sources/Media/Layers": [
            "DependencyDescriptorDecoder", "PictureIDRewriter", "SequenceRewriter",
        ],
        "Sources/Media/LockFree": [
            "Counters", "MPSCQueue", "RelayPath", "SPSCRing", "SPSCRingProducer",
        ],
        "Sources/Media/Network": [
            "EpollLoop", "NetworkInterfaces", "ShardThread", "SystemAddress", "TCPSockets",
        ],
        "Sources/Media/Outgoing": [
            "DependencyDescriptorRewriter", "HeaderTemplate", "HeaderIDRewriter", "HeaderWriter",
            "Shard+Outgoing", "Shard+Seal",
        ],
        "Sources/Media/SCTP": [
            "SCTPReceiver"
        ],
        "Sources/Media/SRTP": [
            "AcceleratedGCMCipher", "AcceleratedRTCPCipher", "CounterModeCipher", "GCMCipher", "GCMSalt",
            "SRTPReceiver", "SRTPReplayWindow", "SRTPSender", "SRTPStreamTable",
        ],
        "Sources/Media/Shard": [
            "DatagramOutput", "EgressBatcher", "OutgoingMessage", "Shard", "Shard+SharedPort", "ShardLinks",
            "ShardMessage",
            "SlotMap",
        ],
        "Sources/Media/Shard/Snapshot": [
            "SnapshotSection"
        ],
        "Sources/Media/Streams": [
            "LayerRates", "NACKGenerator", "ResendLimiter", "RetransmissionBuffer",
        ],
        "Sources/Media/TCP": [
            "Shard+Relay", "TCPSendQueue",
        ],
        "Sources/Media/TURN": [
            "TURNCredential", "TURNReply", "TURNSession",
        ],
        "Sources/Media/Transports": [
            "PacketProtection", "Shard+Plain", "Shard+RTCP", "Shard+Reports",
        ],
        "Sources/Media/Wire": [
            "BitReader", "ByteReader", "ByteWriter", "DatagramKind",
        ],
        "Sources/Media/Wire/Payload": [
            "AV1Payload", "H264Payload", "H265Payload",
        ],
        "Sources/Media/Wire/RTCP": [
            "RTCPCompoundReader"
        ],
        "Sources/Media/Wire/RTP": [
            "RTPExtensionIterator", "RTPHeader", "ReceivedExtensions",
        ],
        "Sources/Media/Wire/SCTP": [
            "CRC32C", "DataChannelOpen", "SCTPPacketReader", "SCTPPacketWriter",
        ],
        "Sources/Media/Wire/STUN": [
            "HMACSHA1Key", "SHA1Digest",
        ],
        "Sources/Media/Wire/TCPFraming": [
            "TCPFrameReader"
        ],
        "Sources/Server": [
            "StandardStream"
        ],
        "Sources/Server/Running": [
            "AnnouncedNames"
        ],
    ]

    static func violations(in file: SourceFile, allowed: [String: Set<String>] = files) -> [Violation] {
        guard let line = UnsafeCodeRules.firstUnsafeLine(of: file.code), !isAllowed(file, by: allowed) else {
            return []
        }
        return [
            Violation(
                path: file.path, line: line,
                message: "unsafe code outside of the fence: use a container that is inside (see UnsafeFence)")
        ]
    }

    /// Files that have no unsafe code any more, or are gone.
    static func stale(_ tree: [SourceFile]) -> [Violation] {
        let unsafe = Set(tree.filter { UnsafeCodeRules.firstUnsafeLine(of: $0.code) != nil }.map(\.path))
        return files.flatMap { folder, names in names.map { "\(folder)/\($0).swift" } }.filter { !unsafe.contains($0) }
            .map { Violation(path: $0, line: 1, message: "has no unsafe code: take it off UnsafeFence's list") }
    }

    private static func isAllowed(_ file: SourceFile, by allowed: [String: Set<String>]) -> Bool {
        guard let slash = file.path.lastIndex(of: "/") else { return false }
        let name = file.path[file.path.index(after: slash)...].dropLast(".swift".count)
        return allowed[String(file.path[..<slash])]?.contains(String(name)) ?? false
    }
}
