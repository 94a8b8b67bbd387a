import Foundation

/// One attachment to the VideoRoom plugin: one WebRTC transport.
struct JanusHandle {
    let client: SignalingClient
    let session: Int
    let identifier: Int

    static func unexpected(_ message: JSON) -> ChildProcess.Failure {
        ChildProcess.Failure(description: "Janus' answer is not what a client expects: \(message)")
    }

    static func attach(_ client: SignalingClient) async throws -> JanusHandle {
        let session = try identifier(of: try await client.request("create", [:]))
        let handle = try await client.request("attach", ["session_id": session, "plugin": "janus.plugin.videoroom"])
        return JanusHandle(client: client, session: session, identifier: try identifier(of: handle))
    }

    private static func identifier(of answer: JSON) throws -> Int {
        guard let number = (answer["data"] as? JSON)?["id"] as? Int else { throw unexpected(answer) }
        return number
    }

    /// Asks the plugin.
    /// - Returns: what the plugin says, and the session description that came along, or "".
    func message(_ body: JSON, description: JSON? = nil) async throws -> (data: JSON, description: String) {
        var message: JSON = ["session_id": session, "handle_id": identifier, "body": body]
        message["jsep"] = description
        let answer = try await client.request("message", message)
        let data = (answer["plugindata"] as? JSON)?["data"] as? JSON ?? [:]
        return (data, (answer["jsep"] as? JSON)?["sdp"] as? String ?? "")
    }
}

/// As much SDP as Janus needs.
enum SessionDescription {
    /// A publisher's offer: one stream, sent only.
    static func offer(_ transport: Int, _ load: Load, fingerprint: String) -> String {
        let codec = load.audio ? ("audio", 111, "opus/48000/2") : ("video", 96, "VP8/90000")
        return text(
            ["a=group:BUNDLE 0"],
            media: [
                [
                    "m=\(codec.0) 9 UDP/TLS/RTP/SAVPF \(codec.1)", "a=mid:0", "a=sendonly",
                    "a=rtpmap:\(codec.1) \(codec.2)", "a=rtcp-fb:\(codec.1) nack", "a=rtcp-fb:\(codec.1) nack pli",
                    "a=ssrc:\(Plan.ssrc(transport)) cname:bench", "a=msid:bench bench",
                ]
            ], transport, fingerprint)
    }

    /// A subscriber's answer: takes everything that is offered.
    static func answer(to offer: String, _ transport: Int, fingerprint: String) -> String {
        var media: [[String]] = []
        let kept = ["a=mid:", "a=rtpmap:", "a=fmtp:", "a=rtcp-fb:"]
        for line in lines(offer) {
            if line.hasPrefix("m=") {
                media.append([line, "a=recvonly"])
            } else if !media.isEmpty, kept.contains(where: line.hasPrefix) {
                media[media.count - 1].append(line)
            }
        }
        return text(lines(offer).filter { $0.hasPrefix("a=group:") }, media: media, transport, fingerprint)
    }

    /// Where and how the server's end is to be reached.
    static func remote(of description: String) throws -> Plan.Remote {
        func value(_ name: String) -> String? {
            lines(description).first { $0.hasPrefix("a=\(name):") }.map { String($0.dropFirst(name.count + 3)) }
        }
        guard let user = value("ice-ufrag"), let password = value("ice-pwd"),
            let candidate = value("candidate")?.split(separator: " "), candidate.count > 5,
            let port = Int(candidate[5])
        else { throw ChildProcess.Failure(description: "no ICE parameters in: \(description)") }
        return Plan.Remote(address: String(candidate[4]), port: port, user: user, password: password)
    }

    private static func lines(_ text: String) -> [String] {
        text.split(whereSeparator: \.isNewline).map(String.init)
    }

    /// The load generator's own port is not known yet; checks come from it, so the candidate here is never used.
    private static func text(
        _ session: [String], media: [[String]], _ transport: Int, _ fingerprint: String
    ) -> String {
        let common = [
            "c=IN IP4 127.0.0.1", "a=rtcp-mux", "a=setup:active", "a=ice-ufrag:\(Plan.localUser(transport))",
            "a=ice-pwd:\(Plan.localPassword)", "a=fingerprint:sha-256 \(fingerprint)",
            "a=candidate:1 1 udp 2130706431 127.0.0.1 9 typ host", "a=end-of-candidates",
        ]
        let head = ["v=0", "o=- 1 1 IN IP4 127.0.0.1", "s=-", "t=0 0"] + session
        let sections = media.flatMap { [$0[0]] + common + $0.dropFirst() }
        return (head + sections).joined(separator: "\r\n") + "\r\n"
    }
}
