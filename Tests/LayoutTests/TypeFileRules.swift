/// A type stands in a file of its name, so that whoever knows the one finds the other.
enum TypeFileRules {
    /// Folders in which that is so, but for `remaining`; one that is not here yet may join.
    private static let folders = ["Sources/Gateway", "Sources/Media", "Sources/Rooms", "Sources/Server"]
    /// File → how many types of another name it may still hold. The numbers only fall.
    static let remaining: [String: Int] = [
        "Sources/Gateway/Listener/SetUpFailures.swift": 1,
        "Sources/Media/DropReason.swift": 1,
        "Sources/Media/Handoff/MediaEvent.swift": 8,
        "Sources/Media/Handoff/MediaHandle.swift": 1,
        "Sources/Media/Handoff/MediaKeys.swift": 4,
        "Sources/Media/Handoff/MediaStatistics.swift": 6,
        "Sources/Media/Handoff/PlainTransport.swift": 6,
        "Sources/Media/Handoff/ShardEndpoint.swift": 3,
        "Sources/Media/Handoff/ShardPlacement.swift": 1,
        "Sources/Media/Handoff/StreamSettings.swift": 11,
        "Sources/Media/ICE/ICELiteAgent+Checks.swift": 2,
        "Sources/Media/ICE/ICELiteAgent.swift": 1,
        "Sources/Media/ICE/TupleList.swift": 1,
        "Sources/Media/Incoming/IncomingStep.swift": 1,
        "Sources/Media/Layers/LayerDecision.swift": 1,
        "Sources/Media/LockFree/SPSCRing.swift": 2,
        "Sources/Media/MediaTime.swift": 2,
        "Sources/Media/SRTP/AcceleratedGCMCipher.swift": 1,
        "Sources/Media/SRTP/SRTPCiphers.swift": 1,
        "Sources/Media/SRTP/SRTPKeyingMaterial.swift": 1,
        "Sources/Media/SRTP/SRTPReceiver.swift": 1,
        "Sources/Media/SRTP/SRTPReference.swift": 1,
        "Sources/Media/SRTP/SRTPStreamTable.swift": 1,
        "Sources/Media/Secret.swift": 1,
        "Sources/Media/Shard/DatagramOutput.swift": 1,
        "Sources/Media/Shard/Shard.swift": 1,
        "Sources/Media/Shard/SlotMap.swift": 1,
        "Sources/Media/Streams/ReceptionReport.swift": 3,
        "Sources/Media/Streams/ReportScheduler.swift": 1,
        "Sources/Media/Streams/SenderClock.swift": 1,
        "Sources/Media/Streams/StreamScore.swift": 1,
        "Sources/Media/Transports/Shard+Reports.swift": 1,
        "Sources/Media/Wire/Payload/DependencyDescriptor.swift": 1,
        "Sources/Media/Wire/Payload/FrameDependencyStructure.swift": 4,
        "Sources/Media/Wire/RTCP/ExtendedReport.swift": 2,
        "Sources/Media/Wire/RTCP/FullIntraRequest.swift": 2,
        "Sources/Media/Wire/RTCP/GenericNACK.swift": 1,
        "Sources/Media/Wire/RTCP/RTCPCompoundReader.swift": 1,
        "Sources/Media/Wire/RTCP/RTCPPacketType.swift": 1,
        "Sources/Media/Wire/RTCP/ReportBlock.swift": 1,
        "Sources/Media/Wire/RTCP/SliceLossIndication.swift": 2,
        "Sources/Media/Wire/RTCP/SourceDescription.swift": 1,
        "Sources/Media/Wire/RTCP/TemporalSpatialTradeOff.swift": 2,
        "Sources/Media/Wire/RTCP/TemporaryMaximumBitrate.swift": 2,
        "Sources/Media/Wire/RTCP/TransportWideChunk.swift": 1,
        "Sources/Media/Wire/RTCP/TransportWideFeedback.swift": 2,
        "Sources/Media/Wire/RTCP/TransportWideFeedbackWriter.swift": 1,
        "Sources/Media/Wire/RTP/RTPExtensionIterator.swift": 1,
        "Sources/Media/Wire/RTP/ReceivedExtensions.swift": 2,
        "Sources/Media/Wire/STUN/SHA1.swift": 1,
        "Sources/Media/Wire/STUN/STUNAttribute.swift": 3,
        "Sources/Media/Wire/STUN/STUNAttributeIterator.swift": 1,
        "Sources/Media/Wire/STUN/STUNMessageWriter.swift": 1,
    ]

    static func violations(in file: SourceFile, allowed: [String: Int] = remaining) -> [Violation] {
        guard folders.contains(where: file.isUnder) else { return [] }
        let strangers = strangers(in: file)
        let limit = allowed[file.path] ?? 0
        if strangers.count > limit {
            let names = strangers.map(\.name).joined(separator: ", ")
            return [
                Violation(
                    path: file.path, line: strangers.last?.line,
                    message: "each type in a file of its name: \(names) (\(limit) allowed here for now)")
            ]
        }
        guard strangers.count < limit else { return [] }
        return [
            Violation(
                path: file.path,
                message: "fewer types of another name: set TypeFileRules.remaining to \(strangers.count)")
        ]
    }

    /// Entries of files that are gone.
    static func stale(_ files: [SourceFile]) -> [Violation] {
        let paths = Set(files.map(\.path))
        return remaining.keys.filter { !paths.contains($0) }.sorted().map {
            Violation(path: $0, message: "is gone: take it out of TypeFileRules.remaining")
        }
    }

    /// At the line's beginning: a type inside another one is indented.
    private static var declaration: Regex<(Substring, Substring)> {
        /(?:@\w+(?:\([^)]*\))? |public |package |internal |final |indirect |nonisolated )*(?:struct|class|enum|actor|protocol) (\w+)/
    }

    /// Types at file level that are not private and whose name is not the file's.
    private static func strangers(in file: SourceFile) -> [(line: Int, name: String)] {
        let stem = file.name.prefix { $0 != "." && $0 != "+" }
        return file.lines.enumerated().compactMap { index, line in
            guard let match = line.prefixMatch(of: declaration), match.1 != stem else { return nil }
            return (index + 1, String(match.1))
        }
    }
}
