import FoundationEssentials
import Logging
import RoundhouseGateway
import RoundhouseMedia
import RoundhouseRooms

/// Every setting, validated.
struct ServerSettings: Sendable {
    private(set) var gateway = GatewayConfiguration()
    private(set) var rooms = RoomConfiguration()
    private(set) var media = MediaConfiguration()
    private(set) var drainSeconds = 2
    private(set) var logLevel = Logger.Level.info
    private(set) var logFormat = LogFormat.text
    /// Each setting's value in words, and where it is from; secrets are only counted.
    private(set) var shown: [Setting: (value: String, origin: String)] = [:]
    /// What the values are compared by.
    private(set) var fingerprints: [Setting: [Secret]] = [:]
    /// What is odd but no error.
    private(set) var warnings: [String] = []

    /// Whether there is no key, and the port is not this machine's own, or only because a proxy stands before it.
    var isOpenToStrangers: Bool {
        let isOwn = ["localhost", "::1"].contains(gateway.host) || gateway.host.hasPrefix("127.")
        return gateway.access.keys.isEmpty && (!isOwn || !gateway.access.trustedProxies.isEmpty)
    }

    /// Those who get to the port, in words.
    var whoReachesIt: String {
        gateway.access.trustedProxies.isEmpty
            ? "everybody who can reach port \(gateway.port) at \(gateway.host)"
            : "everybody whom the proxy lets through"
    }

    /// Reads all sources and judges every value.
    /// - Throws: naming each setting that is wrong as it was given, the value, and what to do.
    static func read(
        _ options: SettingsOptions, environment: [String: String] = ProcessInfo.processInfo.environment
    ) throws(SettingsError) -> ServerSettings {
        var sources = try SettingSources.read(options, environment: environment)
        var faults = sources.faults
        var reader = Reader(sources: sources)
        var settings = ServerSettings()
        while true {
            do throws(SettingsError) {
                try settings.read(&reader)
                break
            } catch {
                faults.append(error)
                // The others are judged without it.
                guard let setting = error.setting, !sources.leftOut.contains(setting) else { break }
                sources.leaveOut(setting)
                reader = Reader(sources: sources)
                settings = ServerSettings()
            }
        }
        if let all = SettingsError(faults) { throw all }
        settings.shown = reader.shown
        settings.fingerprints = reader.fingerprints
        settings.warnings = sources.likelyTypos.map {
            "the environment's \($0.name) is no setting: did you mean \($0.meant)?"
        }
        settings.warnings += try exposures(sources)
        return settings
    }

    /// Secrets that other users of this machine can read.
    private static func exposures(_ sources: SettingSources) throws(SettingsError) -> [String] {
        var warnings: [String] = []
        for setting in Setting.allCases where setting.isCredential {
            guard try sources.value(of: setting)?.origin == .option else { continue }
            warnings.append(
                "\(setting.option) is seen by every user of this machine who lists processes: use \(setting.variable) or a file"
            )
        }
        for setting in [Setting.authKeyFile, .tlsPrivateKey, .dtlsPrivateKey] {
            guard let path = try sources.value(of: setting)?.texts.last?.revealed,
                let mode = FileMode(of: path), mode.isOpenToOthers
            else { continue }
            warnings.append("\(setting.rawValue): every user of this machine may read or change \(path): chmod o= it")
        }
        return warnings
    }

    private mutating func read(_ reader: inout Reader) throws(SettingsError) {
        gateway.host = try reader.text(.host) ?? gateway.host
        gateway.port = try reader.number(.port, gateway.port)
        gateway.tls = try Self.tls(&reader)
        gateway.plainHTTP = try reader.text(.http, defaultValue: "redirect").flatMap(PlainHTTP.init) ?? .redirect
        gateway.turn = try Self.turn(&reader)
        let allowsLegacy = try reader.text(.dtlsLegacy, defaultValue: "refuse") == "allow"
        rooms.acceptsSHA1Fingerprints = allowsLegacy
        let (certificate, key) = try reader.pair(.dtlsCertificate, .dtlsPrivateKey)
        let listen = try reader.list(.mediaListen, ["0.0.0.0"])
        let mediaPort = try reader.number(.mediaPort, 44444)
        media = MediaConfiguration(
            shards: try reader.optionalNumber(.shards, defaultValue: "one per core"), listenAddresses: listen,
            port: UInt16(clamping: mediaPort),
            sharesPort: try reader.text(.mediaPortShared, defaultValue: "no") == "yes",
            tcpPorts: try Self.tcpPorts(&reader),
            plainPorts: try Self.plainPorts(&reader),
            plainDestinations: try Self.plainDestinations(&reader),
            announcedAddresses: try Self.announcedAddresses(&reader, listen),
            certificateFile: certificate, privateKeyFile: key, acceptsLegacyDTLS: allowsLegacy)
        media.bufferBytes = 1024 * (try reader.number(.mediaBufferKilobytes, media.bufferBytes / 1024))
        gateway.adminToken = try reader.text(.adminToken).map { Secret($0) }
        gateway.metricsToken = try reader.text(.metricsToken).map { Secret($0) }
        gateway.access = try Self.access(&reader)
        gateway.webhooks = try Self.webhooks(&reader)
        let limits = gateway.limits
        gateway.limits.connections = try reader.number(.maxConnections, limits.connections)
        gateway.limits.connectionsPerAddress = try reader.number(
            .maxConnectionsPerAddress, limits.connectionsPerAddress)
        let mebibyte = 1 << 20
        gateway.limits.memoryPerAddress =
            mebibyte * (try reader.number(.maxMegabytesPerAddress, limits.memoryPerAddress / mebibyte))
        gateway.limits.requestsPerSecond = try reader.number(.maxRequestsPerSecond, limits.requestsPerSecond)
        gateway.limits.messagesPerSecond = try reader.number(.maxMessagesPerSecond, limits.messagesPerSecond)
        gateway.limits.messageBytes = try reader.number(.maxMessageSize, limits.messageBytes)
        rooms.maximumRooms = try reader.number(.maxRooms, rooms.maximumRooms)
        rooms.maximumPeers = try reader.number(.maxPeersPerRoom, rooms.maximumPeers)
        rooms.maximumTransportsPerPeer = try reader.number(.maxTransportsPerPeer, rooms.maximumTransportsPerPeer)
        rooms.maximumProducersPerPeer = try reader.number(.maxProducersPerPeer, rooms.maximumProducersPerPeer)
        rooms.maximumConsumersPerPeer = try reader.number(.maxConsumersPerPeer, rooms.maximumConsumersPerPeer)
        rooms.maximumDataProducersPerPeer = try reader.number(
            .maxDataProducersPerPeer, rooms.maximumDataProducersPerPeer)
        rooms.maximumDataConsumersPerPeer = try reader.number(
            .maxDataConsumersPerPeer, rooms.maximumDataConsumersPerPeer)
        let data = rooms.dataLimits
        rooms.dataLimits.largestMessage = try reader.number(.maxDataMessageSize, data.largestMessage)
        rooms.dataLimits.sendBuffer = try reader.number(.maxDataBufferSize, data.sendBuffer)
        rooms.dataLimits.messagesPerSecond = try reader.number(.maxDataMessagesPerSecond, data.messagesPerSecond)
        media.ingressLimits.megabitsPerProducer = try reader.number(
            .maxMegabitsPerProducer, media.ingressLimits.megabitsPerProducer)
        media.ingressLimits.megabitsPerTransport = try reader.number(
            .maxMegabitsPerTransport, media.ingressLimits.megabitsPerTransport)
        let bandwidth = try reader.text(.bandwidth, defaultValue: "estimate") ?? "estimate"
        let start = try reader.number(.initialOutgoingKilobits, 600)
        let most = try reader.optionalNumber(.maxOutgoingKilobits, defaultValue: "none")
        if bandwidth == "estimate" {
            rooms.outgoingLimits = BitrateLimits(start: UInt64(start) * 1000, maximum: most.map { UInt64($0) * 1000 })
        }
        rooms.maximumIncomingBitrate = try reader.optionalNumber(.maxIncomingKilobits, defaultValue: "none").map {
            UInt64($0) * 1000
        }
        drainSeconds = try reader.number(.drainSeconds, drainSeconds)
        logFormat = try reader.text(.logFormat, defaultValue: "text").flatMap(LogFormat.init) ?? .text
        logLevel = try reader.text(.logLevel, defaultValue: "info").flatMap { Logger.Level(rawValue: $0) } ?? .info
    }

    private static func webhooks(_ reader: inout Reader) throws(SettingsError) -> WebhookConfiguration {
        var webhooks = WebhookConfiguration()
        for text in try reader.list(.webhook, []) {
            guard let address = WebhookAddress(text) else {
                throw try reader.failure(
                    .webhook,
                    "is no URL that can be posted to: write https://example.com/events, without user and password")
            }
            webhooks.addresses.append(address)
        }
        guard webhooks.addresses.count <= WebhookConfiguration.mostAddresses else {
            throw try reader.failure(.webhook, "is given more than \(WebhookConfiguration.mostAddresses) times")
        }
        if let text = try reader.text(.webhookSecret) {
            guard let secret = WebhookSecret(Secret(text)) else {
                throw try reader.failure(
                    .webhookSecret,
                    "has to be whsec_ and 24 to 64 bytes in Base64: make one by echo \"whsec_$(openssl rand -base64 32)\""
                )
            }
            webhooks.secret = secret
        }
        guard webhooks.addresses.isEmpty || webhooks.secret != nil || reader.sources.leftOut.contains(.webhookSecret)
        else {
            throw try reader.failure(
                .webhook,
                "needs \(reader.name(.webhookSecret, like: .webhook)) beside it: receivers know the server by it")
        }
        let types = try reader.list(
            .webhookEvents, [], shown: WebhookConfiguration.usualTypes.sorted().joined(separator: ", "))
        guard !types.isEmpty else { return webhooks }
        webhooks.types = types.contains("all") ? nil : Set(types)
        for type in types where type != "all" && !RoomEvent.typeNames.contains(type) {
            throw try reader.failure(
                .webhookEvents, "\(type) is no type of event: see Docs/Operations.md, or write all")
        }
        return webhooks
    }

    /// `same`, `none`, or the first port.
    private static func tcpPorts(_ reader: inout Reader) throws(SettingsError) -> MediaTCPPorts {
        switch try reader.text(.mediaTcpPort, defaultValue: "same") ?? "same" {
        case "same": return .sameAsUDP
        case "none": return .none
        case let text:
            guard let port = UInt16(text), port > 0 else {
                throw try reader.failure(
                    .mediaTcpPort, "\(text) is no port: write a number from 1 to 65535, same, or none")
            }
            return .first(port)
        }
    }

    private static func turn(_ reader: inout Reader) throws(SettingsError) -> TURNConfiguration {
        var turn = TURNConfiguration()
        turn.isEnabled = try reader.text(.turn, defaultValue: "on") != "off"
        if let text = try reader.text(.turnPort, defaultValue: "none"), text != "none" {
            guard let port = UInt16(text), port > 0 else {
                throw try reader.failure(.turnPort, "\(text) is no port: write a number from 1 to 65535, or none")
            }
            turn.port = port
        }
        turn.secrets = try reader.list(.turnSecret, [], shown: "made at start").map { Secret($0) }
        guard turn.secrets.count <= 2 else {
            throw try reader.failure(.turnSecret, "is given more than twice: the new one first, and the one before")
        }
        for secret in turn.secrets where secret.revealed.utf8.count < 16 {
            throw try reader.failure(.turnSecret, "is too short: make one of 16 bytes or more by openssl rand -hex 32")
        }
        if let host = try reader.text(.turnHost, defaultValue: "that of the page") {
            guard TURNConfiguration.isAuthority(host) else {
                throw try reader.failure(
                    .turnHost, "\(host) is no host: write turn.example.org, turn.example.org:443 or [2001:db8::10]")
            }
            turn.announcedAuthority = host
        }
        return turn
    }

    /// `none`, or the first and the last port; two ports at least, as most clients want them.
    private static func plainPorts(_ reader: inout Reader) throws(SettingsError) -> ClosedRange<UInt16>? {
        guard let text = try reader.text(.plainPorts), text != "none" else { return nil }
        let ends = text.split(separator: "-", omittingEmptySubsequences: false).map { UInt16($0) }
        guard ends.count == 2, let first = ends[0], let last = ends[1], first > 0, first < last else {
            throw try reader.failure(
                .plainPorts, "\(text) is no range of ports: write the first and the last, as 20000-20999, or none")
        }
        return first...last
    }

    private static func plainDestinations(_ reader: inout Reader) throws(SettingsError) -> [IPAddressRange] {
        var ranges: [IPAddressRange] = []
        for text in try reader.list(.plainDestinations, []) {
            guard let range = IPAddressRange(text) else {
                throw try reader.failure(
                    .plainDestinations, "\(text) is no address: write 192.0.2.7, 192.0.2.0/24 or 2001:db8::/32")
            }
            ranges.append(range)
        }
        return ranges
    }

    /// - Parameter listen: the addresses that are listened on: an announced one of a family without any would lead nowhere.
    private static func announcedAddresses(
        _ reader: inout Reader, _ listen: [String]
    ) throws(SettingsError) -> [AnnouncedAddress] {
        var addresses: [AnnouncedAddress] = []
        for text in try reader.list(.announcedAddress, [], shown: "the bound ones") {
            guard let address = AnnouncedAddress(text) else {
                throw try reader.failure(
                    .announcedAddress,
                    "\(text) is neither an address nor a host name: write 203.0.113.10, 2001:db8::10 or media.example.org, "
                        + "without a port; of one of several addresses, 10.0.0.5=203.0.113.10")
            }
            let isIPv6 = address.text.contains(":")
            let isName = AddressReach(address.text) == nil
            guard isName || listen.contains(where: { $0.contains(":") == isIPv6 }) else {
                let (family, wildcard) = isIPv6 ? ("IPv6", "::") : ("IPv4", "0.0.0.0")
                throw try reader.failure(
                    .announcedAddress,
                    "\(address.text) leads nowhere: --media-listen has no \(family) address, as \(wildcard)")
            }
            if let bound = address.boundAddress, !listens(at: bound, listen) {
                throw try reader.failure(
                    .announcedAddress, "\(text) leads nowhere: --media-listen has no \(bound)")
            }
            addresses.append(address)
        }
        return addresses
    }

    /// Whether an address is among those that are listened on, by itself or by its family's wildcard.
    private static func listens(at address: String, _ listen: [String]) -> Bool {
        listen.contains {
            $0 == (address.contains(":") ? "::" : "0.0.0.0") || AnnouncedAddress($0)?.text == address
        }
    }

    private static func tls(_ reader: inout Reader) throws(SettingsError) -> TLSSettings? {
        let (certificate, key) = try reader.pair(.tlsCertificate, .tlsPrivateKey)
        let mode = try reader.text(.tls)
        guard let certificate, let key else { return mode == nil ? nil : .selfSigned }
        guard mode == nil else {
            throw try reader.failure(
                .tls, "and \(reader.name(.tlsCertificate, like: .tls)) exclude each other: give one of them")
        }
        return .files(certificate: certificate, privateKey: key)
    }

    private static func access(_ reader: inout Reader) throws(SettingsError) -> AccessConfiguration {
        var access = AccessConfiguration()
        for text in try reader.list(.authKey, []) {
            do throws(AccessKey.Problem) {
                access.keys.append(try AccessKey(text))
            } catch {
                throw try reader.failure(.authKey, error.message)
            }
        }
        if let path = try reader.text(.authKeyFile) {
            guard let text = try? String(contentsOfFile: path, encoding: .utf8) else {
                throw try reader.failure(.authKeyFile, "\(path) cannot be read")
            }
            let keys: [AccessKey]
            do throws(AccessKey.Problem) {
                keys = try AccessKey.keys(inFile: text)
            } catch {
                throw try reader.failure(.authKeyFile, "\(path): \(error.message)")
            }
            guard !keys.isEmpty else {
                throw try reader.failure(.authKeyFile, "\(path) has no key: write one in a line")
            }
            access.keys += keys
            reader.note(.authKeyFile, [Secret("\(keys.hashValue)")])
        }
        let names = access.keys.compactMap(\.id)
        if let twice = names.first(where: { name in names.count { $0 == name } > 1 }) {
            throw SettingsError(message: "auth-key, auth-key-file: two keys are named \(twice): give each its own name")
        }
        access.tokenRules = try tokenRules(&reader)
        access.allowedOrigins = try reader.list(.allowedOrigin, [], shown: "its own")
        for origin in access.allowedOrigins where !AccessConfiguration.isOrigin(origin) {
            throw try reader.failure(
                .allowedOrigin, "\(origin) is no origin: write https://example.com or https://example.com:8443, or any")
        }
        access.trustedProxies = try ranges(&reader, .trustedProxy) ?? []
        access.unlimitedAddresses = try ranges(&reader, .unlimitedAddress) ?? access.unlimitedAddresses
        return access
    }

    private static func tokenRules(_ reader: inout Reader) throws(SettingsError) -> TokenRules {
        var rules = TokenRules()
        rules.issuers = Set(try reader.list(.authIssuer, [], shown: "any"))
        rules.audiences = Set(try reader.list(.authAudience, [], shown: "any"))
        rules.requiresExpiry = try reader.text(.authExpiry, defaultValue: "optional") == "required"
        guard let path = try reader.text(.revokedTokens) else { return rules }
        guard let text = try? String(contentsOfFile: path, encoding: .utf8) else {
            throw try reader.failure(.revokedTokens, "\(path) cannot be read")
        }
        do throws(TokenRules.BadLine) {
            rules.revoked = try TokenRules.revoked(inFile: text, now: Date().timeIntervalSince1970).get()
        } catch {
            throw try reader.failure(
                .revokedTokens, "\(path): line \(error.number): write a token's jti, and when it would have expired")
        }
        reader.note(.revokedTokens, [Secret("\(rules.revoked.hashValue)")])
        return rules
    }

    private static func ranges(_ reader: inout Reader, _ setting: Setting) throws(SettingsError) -> [AddressRange]? {
        let texts = try reader.list(
            setting, [],
            shown: setting == .unlimitedAddress
                ? AddressRange.loopback.map(\.description).joined(separator: ", ") : "none")
        guard !texts.isEmpty else { return nil }
        var ranges: [AddressRange] = []
        for text in texts where text != "none" {
            guard let range = AddressRange(text) else {
                throw try reader.failure(
                    setting, "\(text) is no address: write 192.0.2.7, 192.0.2.0/24 or 2001:db8::/32")
            }
            ranges.append(range)
        }
        return ranges
    }
}

extension ServerSettings {
    /// Takes settings from the sources, judges each by its kind, and notes what was found.
    fileprivate struct Reader {
        let sources: SettingSources
        var shown: [Setting: (value: String, origin: String)] = [:]
        var fingerprints: [Setting: [Secret]] = [:]

        init(sources: SettingSources) { self.sources = sources }

        /// - Parameter defaultValue: what is shown if nothing was given.
        mutating func text(_ setting: Setting, defaultValue: String? = nil) throws(SettingsError) -> String? {
            guard let given = try value(setting, defaultValue ?? Self.defaultValue(setting)) else { return nil }
            guard let text = given.texts.last?.revealed, !text.isEmpty else {
                throw failure(setting, "is empty: give a value, or leave it away", given.origin)
            }
            if case .choice(let words) = setting.kind, !words.contains(text) {
                let list = words.joined(separator: ", ")
                throw failure(setting, "\(text) has to be \(words.count > 1 ? "one of " : "")\(list)", given.origin)
            }
            return text
        }

        mutating func number(_ setting: Setting, _ defaultValue: Int) throws(SettingsError) -> Int {
            try optionalNumber(setting, defaultValue: String(defaultValue)) ?? defaultValue
        }

        mutating func optionalNumber(_ setting: Setting, defaultValue: String) throws(SettingsError) -> Int? {
            guard let given = try value(setting, defaultValue) else { return nil }
            guard case .number(let range) = setting.kind else { return nil }
            let text = given.texts.last?.revealed
            guard let text, let number = Int(text), range.contains(number) else {
                throw failure(
                    setting,
                    "\(text ?? "nothing") has to be a number from \(range.lowerBound) to \(range.upperBound)",
                    given.origin)
            }
            return number
        }

        mutating func list(_ setting: Setting, _ defaultValue: [String], shown: String? = nil) throws(SettingsError)
            -> [String]
        {
            let words = shown ?? (defaultValue.isEmpty ? "none" : defaultValue.joined(separator: ", "))
            guard let given = try value(setting, words) else { return defaultValue }
            let trimmed = given.texts.map { $0.revealed.trimmingCharacters }
            // Given but empty is never the same as not given: without a key everybody may enter.
            guard !trimmed.isEmpty, !trimmed.contains("") else {
                throw failure(setting, "has an empty value: give one, or leave it away", given.origin)
            }
            return trimmed
        }

        /// Two files that are of no use without each other.
        mutating func pair(
            _ first: Setting, _ second: Setting
        ) throws(SettingsError) -> (first: String?, second: String?) {
            let (a, b) = (try text(first), try text(second))
            // A wrong one has been named already.
            guard !sources.leftOut.contains(first), !sources.leftOut.contains(second) else { return (nil, nil) }
            if a != nil, b == nil { throw try failure(first, "needs \(name(second, like: first)) beside it") }
            if b != nil, a == nil { throw try failure(second, "needs \(name(first, like: second)) beside it") }
            return (a, b)
        }

        /// A setting's name as it would be given where another one was.
        func name(_ setting: Setting, like other: Setting) throws(SettingsError) -> String {
            switch try sources.value(of: other)?.origin {
            case .option: setting.option
            case .environment: setting.variable
            case .file, .defaultValue, nil: setting.rawValue
            }
        }

        mutating func note(_ setting: Setting, _ more: [Secret]) { fingerprints[setting, default: []] += more }

        /// An error at the place where a setting was given.
        func failure(_ setting: Setting, _ words: String) throws(SettingsError) -> SettingsError {
            failure(setting, words, try sources.value(of: setting)?.origin ?? .defaultValue)
        }

        private func failure(_ setting: Setting, _ words: String, _ origin: SettingOrigin) -> SettingsError {
            SettingsError(message: "\(origin.name(of: setting)) \(words)", isUsage: origin == .option, setting: setting)
        }

        private mutating func value(_ setting: Setting, _ defaultValue: String) throws(SettingsError) -> GivenSetting? {
            guard let given = try sources.value(of: setting) else {
                shown[setting] = (defaultValue, SettingOrigin.defaultValue.name)
                fingerprints[setting] = []
                return nil
            }
            let words =
                setting.isSecret
                ? "(hidden: \(given.texts.count))" : given.texts.map(\.revealed).joined(separator: ", ")
            shown[setting] = (words, given.origin.name)
            fingerprints[setting] = given.texts
            return given
        }

        private static func defaultValue(_ setting: Setting) -> String {
            switch setting {
            case .host: "0.0.0.0"
            case .dtlsCertificate, .dtlsPrivateKey: "made at start"
            default: "none"
            }
        }
    }
}

extension String {
    fileprivate var trimmingCharacters: String {
        var text = Substring(self).drop { $0 == " " || $0 == "\t" }
        while let last = text.last, last == " " || last == "\t" { text.removeLast() }
        return String(text)
    }
}
