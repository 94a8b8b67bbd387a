/// A type stands in a file of its name, so that whoever knows the one finds the other.
enum TypeFileRules {
    /// Folders in which that is so, but for `remaining`; one that is not here yet may join.
    private static let folders = ["Sources/Gateway", "Sources/Rooms", "Sources/Server"]
    /// File → how many types of another name it may still hold. The numbers only fall.
    static let remaining: [String: Int] = [
        "Sources/Gateway/Access/AccessGrants.swift": 1,
        "Sources/Gateway/Access/ClientAddress.swift": 1,
        "Sources/Gateway/GatewayConfiguration.swift": 2,
        "Sources/Gateway/HTTP2/HTTP2Event.swift": 3,
        "Sources/Gateway/HTTP2/HTTP2Stream.swift": 1,
        "Sources/Gateway/Listener/SetUpFailures.swift": 1,
        "Sources/Gateway/Observability/GatewayCounters.swift": 5,
        "Sources/Gateway/Routing/HTTPExchange.swift": 2,
        "Sources/Gateway/SDP/OfferedMedia.swift": 2,
        "Sources/Gateway/SDP/SDPLines.swift": 1,
        "Sources/Gateway/SDP/SDPOffer.swift": 1,
        "Sources/Gateway/SDP/SessionDescription.swift": 2,
        "Sources/Gateway/Signaling/Dialects/Protoo/ProtooVocabulary.swift": 1,
        "Sources/Gateway/Signaling/Dialects/SocketIO/EnginePacket.swift": 2,
        "Sources/Gateway/Signaling/Dialects/SocketIO/SocketIOPacket.swift": 1,
        "Sources/Gateway/Signaling/SignalingDialect.swift": 5,
        "Sources/Gateway/WebSocket/WebSocketReader.swift": 1,
        "Sources/Rooms/Events/RoomEvent.swift": 1,
        "Sources/Rooms/Identifiers.swift": 5,
        "Sources/Rooms/JSON/JSONParser.swift": 1,
        "Sources/Rooms/JSON/JSONReader.swift": 2,
        "Sources/Rooms/JSON/JSONValue.swift": 1,
        "Sources/Rooms/ORTC/CodecMatch.swift": 1,
        "Sources/Rooms/ORTC/H264Profile.swift": 1,
        "Sources/Rooms/ORTC/ORTC+Numbering.swift": 1,
        "Sources/Rooms/ORTC/ORTC+Producer.swift": 1,
        "Sources/Rooms/ORTC/ORTCError.swift": 1,
        "Sources/Rooms/ORTC/RTPCapabilities+JSON.swift": 1,
        "Sources/Rooms/ORTC/RTPCapabilities.swift": 5,
        "Sources/Rooms/ORTC/RTPParameters.swift": 4,
        "Sources/Rooms/PeerGrant.swift": 2,
        "Sources/Rooms/Room+Queries.swift": 1,
        "Sources/Rooms/Room+Statistics.swift": 3,
        "Sources/Rooms/Room.swift": 1,
        "Sources/Rooms/RoomInbox.swift": 1,
        "Sources/Rooms/RoomObservation.swift": 1,
        "Sources/Rooms/RoomSnapshot.swift": 8,
        "Sources/Rooms/Signaling/PeerChannel.swift": 2,
        "Sources/Rooms/Signaling/PlainTransportRequests.swift": 4,
        "Sources/Rooms/Signaling/ServerMessages.swift": 7,
        "Sources/Rooms/Signaling/SignalingRequest.swift": 11,
        "Sources/Rooms/Signaling/SignalingResponse.swift": 5,
        "Sources/Rooms/State/RoomAction.swift": 4,
        "Sources/Rooms/State/RoomEntities.swift": 4,
        "Sources/Server/RunningSettings.swift": 1,
        "Sources/Server/ServerCommand.swift": 1,
        "Sources/Server/Services.swift": 5,
        "Sources/Server/Setting.swift": 1,
        "Sources/Server/SettingSources.swift": 3,
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
