import RoundhouseMedia

extension ORTC {
    /// A client's capabilities with a consumable's extension ids, so that extensions match by what they mean.
    static func routerNumbered(_ given: RTPCapabilities, like consumable: RTPParameters) -> RTPCapabilities {
        var capabilities = given
        capabilities.headerExtensions = given.headerExtensions.compactMap { ext in
            guard let own = consumable.headerExtensions.first(where: { $0.uri == ext.uri }) else { return nil }
            var renumbered = ext
            renumbered.preferredID = own.id
            return renumbered
        }
        return capabilities
    }

    /// Turns a consumer's numbers into those of the client whose capabilities it was made for.
    static func clientNumbered(
        _ given: RTPParameters, kind: MediaKind, by capabilities: RTPCapabilities
    ) -> ClientNumberedParameters {
        var router = given
        var client = given
        var payloadTypes: [UInt8: UInt8] = [:]
        router.codecs = []
        client.codecs = []
        func add(_ codec: RTPCodecParameters, as payloadType: UInt8, repairing media: UInt8? = nil) {
            payloadTypes[codec.payloadType] = payloadType
            router.codecs.append(codec)
            var renumbered = codec
            renumbered.payloadType = payloadType
            if let media { renumbered.parameters["apt"] = .integer(Int(media)) }
            client.codecs.append(renumbered)
        }
        for codec in given.codecs where !codec.isRTX {
            guard let capability = capabilities.codecs.first(where: { CodecMatch($0, codec, isStrict: true) != nil }),
                let media = capability.preferredPayloadType
            else { continue }
            add(codec, as: media)
            // RTX is matched by what it repairs: its own name says nothing.
            if let own = given.codecs.first(where: { $0.isRTX && $0.apt == Int(codec.payloadType) }),
                let theirs = capabilities.codecs.first(where: { $0.isRTX && $0.apt == Int(media) }),
                let payloadType = theirs.preferredPayloadType
            {
                add(own, as: payloadType, repairing: media)
            }
        }
        if !client.codecs.contains(where: \.isRTX) {
            for index in given.encodings.indices {
                router.encodings[index].rtxSSRC = nil
                client.encodings[index].rtxSSRC = nil
            }
        }
        router.headerExtensions = []
        client.headerExtensions = []
        for ext in given.headerExtensions {
            guard let theirs = capabilities.headerExtensions.first(where: { $0.uri == ext.uri && $0.kind == kind })
            else { continue }
            router.headerExtensions.append(ext)
            var renumbered = ext
            renumbered.id = theirs.preferredID
            client.headerExtensions.append(renumbered)
        }
        return ClientNumberedParameters(
            router: router, client: client,
            numbering: ConsumerIDMapping(
                payloadTypes: payloadTypes, headerExtensions: HeaderExtensionIDs(client.headerExtensions)))
    }
}
