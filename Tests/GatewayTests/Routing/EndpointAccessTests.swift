import FoundationEssentials
import HTTPTypes
import RoundhouseMedia
import RoundhouseRooms
import Testing

@testable import RoundhouseGateway

/// Every endpoint and method, asked for by every kind of client, of what is its own and of what is not.
@Suite(.timeLimit(.minutes(30))) struct EndpointAccessTests {
    private enum Verdict: Equatable {
        case served, unauthorized, forbidden
        /// There is no such session, for all who have not its secret.
        case unknown
        case noSuchMethod
        case methods

        init(_ response: OutgoingResponse, to method: HTTPRequest.Method) {
            switch response.head.status.code {
            case 401: self = .unauthorized
            case 403: self = .forbidden
            case 404 where String(decoding: response.body, as: UTF8.self).contains("session-not-found"): self = .unknown
            case 405: self = .noSuchMethod
            case 204 where method == .options: self = .methods
            default: self = .served
            }
        }
    }

    private static let methods: [HTTPRequest.Method] = [.get, .head, .post, .put, .patch, .delete, .options]
    private static let owner = AccessGrants(room: "town", name: "Owner")

    private static func client(_ name: String, _ grants: AccessGrants) throws -> AccessWorld.Client {
        let token = try AccessToken.make(
            grants, key: try AccessKey(AccessWorld.key), lifetime: 3600, now: Date().timeIntervalSince1970)
        return AccessWorld.Client(description: name, token: token, grants: grants)
    }

    /// All kinds of tokens there are, and what is none.
    private static func clients() throws -> [AccessWorld.Client] {
        var owner = try client("the owner's token", Self.owner)
        owner.isOwner = true
        var clients = [owner]
        for (name, permissions) in [
            ("all", PeerPermissions.all), ("publish", .publish), ("subscribe", .subscribe), ("data", .data),
        ] {
            clients.append(try client("a token for the room: \(name)", .init(room: "town", permissions: permissions)))
        }
        for peer in ["ann", "film", "cam", "bob"] {
            clients.append(try client("a token for \(peer)", .init(room: "town", peer: peer)))
        }
        clients.append(
            try client("a watching token for ann", .init(room: "town", permissions: .subscribe, peer: "ann")))
        clients.append(try client("a token for another room", .init(room: "village")))
        clients.append(try client("a token for another room's ann", .init(room: "village", peer: "ann")))
        clients.append(try client("a token for any room", .init(room: "*")))
        clients.append(try client("a token that moderates", .init(room: "town", permissions: [.all, .moderate])))
        clients.append(try client("a token that only moderates", .init(room: "town", permissions: .moderate)))
        clients.append(
            try client("a token that moderates another room", .init(room: "village", permissions: [.all, .moderate])))
        clients.append(try client("a token of an administrator", .init(room: nil, isAdmin: true)))
        clients.append(try client("a token of an administrator in the room", .init(room: "town", isAdmin: true)))
        clients.append(
            .init(description: "the admin token", token: AccessWorld.adminToken, isAdminToken: true))
        clients.append(
            .init(description: "the metrics token", token: AccessWorld.metricsToken, isMetricsToken: true))
        clients.append(.init(description: "nothing"))
        clients.append(.init(description: "this machine", address: "127.0.0.1", host: "localhost"))
        let foreign = try AccessToken.make(
            .init(room: "town", isAdmin: true), key: try AccessKey(AccessWorld.key.uppercased()), lifetime: 60,
            now: Date().timeIntervalSince1970)
        clients.append(.init(description: "a token of another key", token: foreign))
        let expired = try AccessToken.make(
            .init(room: "town", isAdmin: true), key: try AccessKey(AccessWorld.key), lifetime: 60,
            now: Date().timeIntervalSince1970 - 3600)
        clients.append(.init(description: "an expired token", token: expired))
        return clients
    }

    /// What of an endpoint there is to ask for.
    private static func subjects(_ rule: AccessRule, _ endpoint: Endpoint) -> [AccessWorld.Subject] {
        switch rule {
        case .nothing, .anyToken, .roomOrOperator, .administrator, .operation, .moderation, .metrics, .connection:
            [.others]
        case .entry: endpoint == .whep ? [.fresh] : [.fresh, .others]
        case .entryOrSession: [.own, .others, .fresh]
        case .session, .maker: [.own, .others]
        }
    }

    /// What the table says.
    private static func expected(
        _ endpoint: Endpoint, _ client: AccessWorld.Client, _ subject: AccessWorld.Subject
    ) -> Verdict {
        let grants = client.grants
        let isForRoom = grants?.admits(to: RoomID("town")) == true
        func permitted(_ act: PeerPermissions, _ isAllowed: Bool) -> Verdict {
            guard let grants else { return .unauthorized }
            return isForRoom && isAllowed && grants.permissions.isSuperset(of: act) ? .served : .forbidden
        }
        func entry(_ act: PeerPermissions, as name: String?) -> Verdict {
            let isNamed = grants?.peer != nil && name != nil
            let isFree = subject == .fresh || client.isOwner || isNamed
            return permitted(act, isFree && (!isNamed || grants?.peer == name))
        }
        let name = subject == .fresh ? "bob" : endpoint == .whip ? "cam" : "ann"
        switch endpoint.rule {
        case .nothing, .connection: return .served
        case .anyToken: return grants == nil ? .unauthorized : .served
        case .metrics:
            return client.isAdminToken || client.isMetricsToken || grants?.isAdmin == true ? .served : .unauthorized
        case .administrator, .operation:
            if client.isAdminToken { return .served }
            return grants.map { $0.isAdmin ? .served : .forbidden } ?? .unauthorized
        case .moderation:
            if client.isAdminToken || grants?.isAdmin == true { return .served }
            return permitted(.moderate, true)
        case .roomOrOperator:
            return client.isAdminToken || grants?.isAdmin == true ? .served : permitted([], true)
        case .session: return subject == .own ? .served : .unknown
        case .entryOrSession: return subject == .own ? .served : entry([], as: name)
        case .entry(let act): return entry(act, as: endpoint == .whep ? nil : name)
        case .maker(let act):
            let isMaker = subject == .own || client.isOwner || grants?.peer == "film"
            return permitted(act, isMaker && (grants?.peer == nil || grants?.peer == "film"))
        }
    }

    /// On a server without a key addresses take the place of tokens.
    private static func expectedWithoutKey(
        _ endpoint: Endpoint, _ client: AccessWorld.Client, _ subject: AccessWorld.Subject,
        _ method: HTTPRequest.Method
    ) -> Verdict {
        let isOwners = client.address == AccessWorld.ownersAddress
        let isOwnMachine = client.host == "localhost"
        switch endpoint.rule {
        case .nothing, .connection, .anyToken, .roomOrOperator: return .served
        case .administrator, .metrics: return isOwnMachine ? .served : .forbidden
        case .operation, .moderation: return isOwnMachine && [.get, .head].contains(method) ? .served : .forbidden
        case .session: return subject == .own ? .served : .unknown
        case .entry, .entryOrSession: return subject != .others || isOwners ? .served : .forbidden
        case .maker: return subject == .own || isOwners ? .served : .forbidden
        }
    }

    /// - Returns: how many requests were tried.
    private static func tryEverything(
        hasKey: Bool, owner: AccessWorld.Client, clients: [AccessWorld.Client],
        _ expected: (Endpoint, AccessWorld.Client, AccessWorld.Subject, HTTPRequest.Method) -> Verdict
    ) async throws -> Int {
        var tried = 0
        var world = try await AccessWorld(hasKey: hasKey, owner: owner)
        for endpoint in Endpoint.allCases {
            for method in methods {
                for client in clients {
                    for subject in subjects(endpoint.rule, endpoint) {
                        let before = world.events
                        let response = try await world.ask(endpoint, method, subject, as: client)
                        let verdict = Verdict(response, to: method)
                        var what: Comment {
                            let words = String(decoding: response.body.prefix(200), as: UTF8.self)
                            return "\(method) \(endpoint.pattern ?? "/") of \(subject) with \(client): \(words)"
                        }
                        tried += 1
                        if endpoint.takes(method) {
                            #expect(verdict == expected(endpoint, client, subject, method), what)
                        } else if endpoint == .socketIO {
                            #expect(response.head.status.code == 400, what)
                        } else if method == .options {
                            #expect(verdict == .methods, what)
                        } else {
                            #expect([.noSuchMethod, .unknown].contains(verdict), what)
                        }
                        // A client that is refused has changed nothing.
                        if verdict != .served { #expect(world.events == before, what) }
                        // An event stream that ends leaves its peer unheard; what is deleted may go a moment later.
                        let isGoing = verdict == .served && (endpoint == .peerEvents || method == .delete)
                        guard world.events != before || isGoing else { continue }
                        await world.close()
                        world = try await AccessWorld(hasKey: hasKey, owner: owner)
                    }
                }
            }
        }
        await world.close()
        return tried
    }

    @Test func `with a key, every endpoint serves those whom its rule admits, and nobody else`() async throws {
        let clients = try Self.clients()
        let tried = try await Self.tryEverything(hasKey: true, owner: clients[0], clients: clients) {
            endpoint, client, subject, _ in Self.expected(endpoint, client, subject)
        }
        print("\(Endpoint.allCases.count) endpoints, \(clients.count) clients: \(tried) requests")
        #expect(tried > 5000)
    }

    @Test func `without a key, every endpoint serves those whom its rule admits, and nobody else`() async throws {
        let owner = AccessWorld.Client(description: "the owner", address: AccessWorld.ownersAddress)
        let clients = [
            owner, AccessWorld.Client(description: "a stranger"),
            AccessWorld.Client(description: "this machine", address: "127.0.0.1", host: "localhost"),
            AccessWorld.Client(description: "a name that points to this machine", address: "127.0.0.1"),
        ]
        let tried = try await Self.tryEverything(hasKey: false, owner: owner, clients: clients) {
            Self.expectedWithoutKey($0, $1, $2, $3)
        }
        print("\(Endpoint.allCases.count) endpoints, \(clients.count) clients: \(tried) requests")
        #expect(tried > 1000)
    }

    @Test func `no two endpoints have one path, and what has none is answered with 404`() async throws {
        var known: [String: Endpoint] = [:]
        for endpoint in Endpoint.allCases {
            guard let pattern = endpoint.pattern else { continue }
            let path = pattern.split(separator: "/").map { $0.hasPrefix("{") ? "x" : String($0) }
            #expect(Endpoint(path, hasFile: { _ in false }) == endpoint)
            #expect(known.updateValue(endpoint, forKey: path.joined(separator: "/")) == nil, "\(pattern)")
        }
        for path in [
            ["rooms", "x", "peers"], ["rooms", "x", "peers", "y", "x"], ["api", "v1"], ["api", "v1", "x"],
            ["whip"], ["whip", "a", "b", "c"], ["healthz", ""], ["Rooms"], ["rooms", "x", "broadcasters", "y", "z"],
        ] {
            #expect(Endpoint(path, hasFile: { _ in false }) == nil, "\(path)")
        }
    }

    @Test func `every endpoint says with OPTIONS what it takes`() async throws {
        let owner = AccessWorld.Client(description: "the owner", address: AccessWorld.ownersAddress)
        let world = try await AccessWorld(hasKey: false, owner: owner)
        for endpoint in Endpoint.allCases where endpoint != .socketIO {
            let response = try await world.ask(endpoint, .options, .fresh, as: owner)
            let allowed = response.head.headerFields[.allow] ?? response.head.headerFields[.accessControlAllowMethods]
            #expect(response.head.status == .noContent)
            for method in endpoint.methods { #expect(allowed?.contains(method.rawValue) == true, "\(endpoint)") }
        }
        await world.close()
    }
}
