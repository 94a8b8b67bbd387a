import RoundhouseMedia
import RoundhouseRooms

/// An offer of one bundled WebRTC transport: what WHIP and WHEP clients send.
struct SDPOffer: Sendable {
    /// `a=setup` (RFC 8842 §5).
    enum Setup: String, Sendable { case actpass, active, passive }

    var iceUsernameFragment: String
    var icePassword: String
    var fingerprints: [DTLSFingerprint]
    var setup: Setup
    /// The MIDs of the BUNDLE group, in its order.
    var bundle: [String]
    var media: [OfferedMedia]
    /// `a=extmap-allow-mixed` of the session (RFC 8285 §6).
    var allowsMixedExtensions: Bool

    /// The DTLS role that the room is given: we wait, unless the client insists on waiting.
    var dtlsRole: DTLSRole { setup == .passive ? .server : .client }

    init(_ session: SessionDescription) throws(SDPError) {
        guard !session.media.isEmpty else { throw SDPError("m=", "the offer has no media section") }
        var media: [OfferedMedia] = []
        for section in session.media {
            let offered = try OfferedMedia(section, in: session)
            guard !media.contains(where: { $0.mid == offered.mid }) else {
                throw section.failure("a=mid:\(offered.mid) stands in another section too")
            }
            media.append(offered)
        }
        let bundle = try Self.bundle(session, media)
        // Transport attributes stand in the first bundled section, and in every other that has a port (RFC 9143 §7.1.3).
        let tagged = media.first { $0.mid == bundle.first } ?? media[0]
        let own = SDPAttributes(tagged.description.attributes)
        let common = SDPAttributes(session.attributes)
        func value(_ name: String) throws(SDPError) -> SDPAttribute {
            guard let attribute = own.first(name) ?? common.first(name) else {
                throw tagged.description.failure("neither the section nor the session has a=\(name)")
            }
            return attribute
        }
        let fragment = try value("ice-ufrag")
        let password = try value("ice-pwd")
        iceUsernameFragment = try ICEAttributes.checked(fragment, length: 4...256)
        icePassword = try ICEAttributes.checked(password, length: 22...256)
        let setupAttribute = try value("setup")
        guard let setup = Setup(rawValue: setupAttribute.value ?? "") else {
            throw setupAttribute.failure("not actpass, active or passive")
        }
        self.setup = setup
        _ = try value("fingerprint")
        var fingerprints: [DTLSFingerprint] = []
        let ownLines = own.all("fingerprint")
        for attribute in ownLines.isEmpty ? common.all("fingerprint") : ownLines {
            let words = (attribute.value ?? "").split(separator: " ")
            guard words.count == 2 else { throw attribute.failure("not a hash function and a fingerprint") }
            // A hash of a kind unknown here is no error beside a known one (RFC 8122 §5.1).
            guard let algorithm = DTLSFingerprint.Algorithm(rawValue: words[0].lowercased()) else { continue }
            guard let fingerprint = DTLSFingerprint(algorithm: algorithm, text: String(words[1])) else {
                throw attribute.failure("not \(algorithm.length) hexadecimal pairs with colons between")
            }
            fingerprints.append(fingerprint)
        }
        guard !fingerprints.isEmpty else {
            throw tagged.description.failure("no a=fingerprint with a hash function known here")
        }
        self.fingerprints = fingerprints
        self.bundle = bundle
        self.media = media
        allowsMixedExtensions = common.first("extmap-allow-mixed") != nil
    }

    /// Whether the offer names all of the client's candidates, and none of them is for UDP.
    var isReachableByTCPOnly: Bool {
        let attributes = media.flatMap(\.description.attributes)
        let transports = attributes.filter { $0.name == "candidate" }.compactMap {
            $0.value?.split(separator: " ").dropFirst(2).first?.lowercased()
        }
        return attributes.contains { $0.name == "end-of-candidates" } && !transports.isEmpty
            && transports.allSatisfy { $0 == "tcp" }
    }

    private static func bundle(
        _ session: SessionDescription, _ media: [OfferedMedia]
    ) throws(SDPError) -> [String] {
        for attribute in SDPAttributes(session.attributes).all("group") {
            let words = (attribute.value ?? "").split(separator: " ").map(String.init)
            guard words.first == "BUNDLE" else { continue }
            for mid in words.dropFirst() where !media.contains(where: { $0.mid == mid }) {
                throw attribute.failure("no section has a=mid:\(mid.prefix(32))")
            }
            if words.count > 1 { return Array(words[1...]) }
        }
        guard media.count == 1 else {
            throw SDPError("a=group", "several sections, and no BUNDLE group: there is one transport (RFC 9725 §4.4)")
        }
        return [media[0].mid]
    }
}
