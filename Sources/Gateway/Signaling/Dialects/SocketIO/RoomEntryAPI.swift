import HTTPTypes
import RoundhouseRooms

/// What clients of the older Electron room server ask over HTTP before they connect: a room's name, whether a room
/// exists, whether a password is right. Bodies are forms or JSON.
struct RoomEntryAPI: Sendable {
    let rooms: RoomRegistry
    let access: AccessControl
    var lane = ReadingLane()

    private enum Route: String {
        case createValidRoomId, isRoomExisted, checkPassword
    }

    /// - Returns: `nil` if the path is none of these.
    func response(to request: IncomingRequest, _ path: [String]) async -> OutgoingResponse? {
        guard path.count == 1, let route = Route(rawValue: path[0]) else { return nil }
        guard request.head.method == .post else {
            return .methodNotAllowed("POST", "this path takes POST")
        }
        if let refusal = access.refusal(of: request) { return refusal }
        guard let fields = await lane.read(bytes: request.body.count, { Self.fields(of: request) }) else {
            return .failure(
                .badRequest, code: "malformed-body",
                "the body has to be application/x-www-form-urlencoded or a JSON object")
        }
        let roomID = RoomID(fields["roomId"] ?? "")
        let password = fields["password"] ?? ""
        guard password.utf8.count <= 256 else {
            return .failure(.badRequest, code: "invalid-parameter", "password: longer than 256 bytes")
        }
        switch route {
        case .createValidRoomId:
            do throws(RoomError) {
                rooms.forgetUnusedNames()
                let lease = try access.accountant.hold(.roomName, for: request.origin)
                let room = try rooms.reserveRoom(password: password, keeping: lease)
                return OutgoingResponse(json: .object(["roomId": .string(room.rawValue)]))
            } catch {
                return .refused(error)
            }
        case .isRoomExisted:
            let (exists, needsPassword) = rooms.existence(of: roomID)
            return OutgoingResponse(
                json: .fields(["existed": .bool(exists), "needPassword": exists ? .bool(needsPassword) : nil]))
        case .checkPassword:
            // Of a room without password, only "no password" is right: so that server compared.
            let needsPassword = rooms.existence(of: roomID).needsPassword
            do throws(RoomError) {
                if needsPassword { try access.accountant.passwordTried(request.origin) }
            } catch {
                return .refused(error)
            }
            let isRight = rooms.isPassword(password, of: roomID) && (password.isEmpty || needsPassword)
            if needsPassword, isRight { access.accountant.passwordWasRight(request.origin) }
            return OutgoingResponse(json: .object(["valid": .bool(isRight)]))
        }
    }

    /// The body's fields as text; numbers and booleans of JSON as JavaScript writes them.
    static func fields(of request: IncomingRequest) -> [String: String]? {
        let type = request.head.headerFields[.contentType]?.prefix { $0 != ";" }.lowercased() ?? ""
        if request.body.isEmpty { return [:] }
        var fields: [String: String] = [:]
        if type.hasSuffix("json") {
            guard case .object(let object)? = try? JSONValue(parsing: request.body) else { return nil }
            for (name, value) in object {
                switch value {
                case .string(let text): fields[name] = text
                case .integer, .number, .bool: fields[name] = value.text
                case .null: break
                case .array, .object: return nil
                }
            }
            return fields
        }
        guard let text = String(validating: request.body, as: UTF8.self),
            let form = RequestTarget("/?" + text.replacing("#", with: "%23"))
        else { return nil }
        for (name, value) in form.query where fields[name] == nil { fields[name] = value }
        return fields
    }
}
