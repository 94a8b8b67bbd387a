import ArgumentParser
import FoundationEssentials
import RoundhouseGateway
import RoundhouseRooms

/// Makes an access token.
struct TokenCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "token",
        abstract: "Makes an access token, signed with the server's (first) secret.",
        discussion: """
            The key is found as the server finds it: --auth-key, --auth-key-file, --config or the environment, which may be \
            given here as to the server. Without --publish, --subscribe and --data all three are granted.
            """)

    @Option(help: "The room that may be entered; '*' for any.")
    var room: String?

    @Option(help: "The name that the others see.")
    var name: String?

    @Option(help: "The only peer id that may be used.")
    var peer: String?

    @Flag(help: "May send audio and video.")
    var publish = false

    @Flag(help: "May receive what others send.")
    var subscribe = false

    @Flag(help: "May send data.")
    var data = false

    @Flag(help: "May mute, send away and invite others in the room, and lock it.")
    var moderate = false

    @Flag(help: "May read and change the state of the server.")
    var admin = false

    @Option(help: "How long it is valid: a number of s, m, h or d, or 'never'.")
    var expiresIn = "6h"

    @Option(help: "Its name, by which it can be revoked. (default: a random one)")
    var id: String?

    // Not in the help: what is asked of them is in the discussion.
    @OptionGroup(visibility: .hidden) var options: SettingsOptions

    func validate() throws {
        guard room != nil || admin else { throw ValidationError("--room is missing: which room is the token for?") }
        for (option, value) in [("--room", room), ("--name", name), ("--peer", peer), ("--id", id)] {
            guard value?.isEmpty != true else { throw ValidationError("\(option) is empty.") }
        }
        _ = try lifetime()
    }

    func run() async throws {
        let settings = try readSettings(options)
        guard let key = settings.gateway.access.keys.first(where: \.canSign) else {
            throw ValidationError("there is no secret to sign with: give --auth-key-file, or --config with one.")
        }
        var permissions: PeerPermissions = []
        if publish { permissions.insert(.publish) }
        if subscribe { permissions.insert(.subscribe) }
        if data { permissions.insert(.data) }
        if permissions.isEmpty { permissions = .all }
        if moderate { permissions.insert(.moderate) }
        let grants = AccessGrants(room: room, permissions: permissions, isAdmin: admin, name: name, peer: peer)
        let token = try AccessToken.make(
            grants, key: key, lifetime: try lifetime(), now: Date().timeIntervalSince1970,
            rules: settings.gateway.access.tokenRules, id: id ?? Self.randomID())
        StandardStream.output.write(token + "\n")
    }

    /// 96 random bits in hexadecimal.
    private static func randomID() -> String {
        (0..<12).map { _ in
            let digits = String(UInt8.random(in: 0...255), radix: 16)
            return digits.utf8.count < 2 ? "0" + digits : digits
        }.joined()
    }

    /// In seconds; `nil` forever.
    private func lifetime() throws -> Int? {
        if expiresIn == "never" { return nil }
        let units: [Character: Int] = ["s": 1, "m": 60, "h": 3600, "d": 86_400]
        guard let unit = expiresIn.last.flatMap({ units[$0] }), let count = Int(expiresIn.dropLast()),
            (1...1_000_000).contains(count)
        else {
            throw ValidationError(
                "--expires-in \(expiresIn) has to be a number with s, m, h or d, such as 90m, or never.")
        }
        return count * unit
    }
}
