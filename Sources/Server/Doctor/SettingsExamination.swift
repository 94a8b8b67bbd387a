import RoundhouseGateway
import RoundhouseMedia

/// What the settings mean for those who want to reach the server.
struct SettingsExamination {
    let settings: ServerSettings

    /// Starts a server with these settings, and ends it, unless one runs already.
    func findings() async -> [Finding] {
        var findings = settings.warnings.map { Finding.warning("environment", $0) }
        findings += [descriptors(), access(), certificate()]
        findings += await server()
        return findings
    }

    private func descriptors() -> Finding {
        do throws(StartError) {
            let limit = try DescriptorLimit.raise(mediaThreads: settings.media.shards)
            let clients = settings.gateway.limits.connections
            return limit >= clients
                ? .ok("open files", "\(limit)")
                : .warning(
                    "open files", "\(limit), fewer than max-connections (\(clients)): raise the limit (ulimit -n)")
        } catch {
            return .failure("open files", error.message)
        }
    }

    private func access() -> Finding {
        settings.isOpenToStrangers
            ? .warning(
                "auth-key", "\(settings.whoReachesIt) may enter every room: give --auth-key-file to ask for tokens")
            : .ok("auth-key", settings.gateway.access.keys.isEmpty ? "none: this machine only" : "clients show a token")
    }

    private func certificate() -> Finding {
        do throws(GatewayError) {
            guard let days = try GatewayServer.certificateDaysLeft(settings.gateway) else {
                return .warning(
                    "tls",
                    "none: browsers give a page camera and microphone only on localhost, unless a proxy speaks TLS for it"
                )
            }
            if days < 0 { return .failure("tls", "the certificate's time is over since \(-days) days: renew it") }
            if settings.gateway.tls == .selfSigned {
                return .warning("tls", "self-signed: browsers ask each person whether to trust it")
            }
            return days < 14
                ? .warning(
                    "tls", "the certificate ends in \(days) days: renew it (the server sees the new one by itself)")
                : .ok("tls", "the certificate is good for \(days) days")
        } catch {
            return .failure("tls", error.message)
        }
    }

    private func server() async -> [Finding] {
        let (host, port) = (settings.gateway.host, settings.gateway.port)
        if port != 0, let status = try? HealthProbe.ask(settings.gateway, path: "/readyz") {
            return [
                status == 200
                    ? .ok(
                        "server",
                        "one runs at \(host), port \(port), and takes new peers; media addresses: not looked at")
                    : .warning(
                        "server",
                        "what listens at \(host), port \(port), answers \(status) to /readyz: it drains, or it is no Roundhouse"
                    )
            ]
        }
        do throws(StartError) {
            let server = try await RunningServer.start(settings)
            let (port, endpoints) = (server.gateway.port, server.plane.handle.endpoints)
            let ways = server.gateway.turnWays
            await server.close()
            return [.ok("server", "starts with these settings, and ends")] + reach(port, endpoints) + [turn(ways)]
        } catch {
            return [.failure("server", "does not start: \(error.message)")]
        }
    }

    /// What clients get media by who reach nothing but a port of HTTPS.
    private func turn(_ ways: String?) -> Finding {
        guard settings.gateway.turn.isEnabled else { return .ok("turn", "off") }
        guard let ways else {
            return .warning(
                "turn",
                "none without TLS: clients that reach neither UDP nor ICE-TCP get no media. Give a certificate, or --turn-host "
                    + "if a balancer passes TLS connections on")
        }
        if case .files = settings.gateway.tls { return .ok("turn", "over \(ways)") }
        guard settings.gateway.turn.announcedAuthority == nil else { return .ok("turn", "over \(ways)") }
        return settings.gateway.tls == nil
            ? .ok("turn", "over \(ways)")
            : .warning("turn", "over \(ways), but browsers take no self-signed certificate for it")
    }

    /// From where media can come.
    private func reach(_ port: Int, _ endpoints: [ShardEndpoint]) -> [Finding] {
        let addresses = endpoints.flatMap(\.addresses)
        var names: [String] = []
        for one in addresses where !names.contains(one.address) { names.append(one.address) }
        let list = names.joined(separator: ", ")
        let reaches = names.map { AddressReach($0) }
        let finding: Finding
        if reaches.contains(where: { $0 == nil }) {
            let lost = names.filter { name in
                guard AddressReach(name) == nil, case .failure = AnnouncedNames.addresses(of: name) else {
                    return false
                }
                return true
            }
            finding =
                lost.isEmpty
                ? .ok("media", "clients are sent to \(list), whose names have addresses")
                : .warning(
                    "media",
                    "\(lost.joined(separator: ", ")) has no address here: clients that find none either get no media. "
                        + "Correct --announced-address, or the name server")
        } else if reaches.contains(.internet) {
            finding = .ok("media", "clients are sent to \(list)")
        } else if reaches.contains(.localNetwork) {
            finding = .warning(
                "media",
                "clients are sent to \(list): nobody outside of that network gets picture or sound. "
                    + "Give --announced-address the address that others reach")
        } else {
            finding = .warning(
                "media", "clients are sent to \(list): only this machine's own. Give --media-listen 0.0.0.0")
        }
        return [
            finding, .ok("firewall", "has to let in TCP \(port) and \(ShardEndpoint.ways(to: endpoints))"),
        ]
    }
}
