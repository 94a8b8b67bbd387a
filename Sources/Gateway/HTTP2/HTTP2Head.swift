import HTTPTypes

/// A request's head as its fields arrive (RFC 9113 §8.3.1); libnghttp2 has checked their form and order.
struct HTTP2Head {
    /// Why a request's head is not served.
    enum Problem {
        case tooLarge, invalid
    }

    private var method: String?
    private var scheme: String?
    private var authority: String?
    private var path: String?
    private var extendedConnect: String?
    private var fields = HTTPFields()
    private(set) var problem: Problem?
    /// What the fields count, however they were packed (RFC 9113 §6.5.2: 32 for each field).
    private(set) var bytes = 0

    mutating func add(_ name: String, _ value: String, limits: HTTP2Limits) {
        bytes &+= name.utf8.count &+ value.utf8.count &+ 32
        guard bytes <= limits.headerBytes, fields.count < limits.headerFields else {
            problem = .tooLarge
            fields = [:]
            return
        }
        guard problem == nil else { return }
        switch name {
        case ":method": method = value
        case ":scheme": scheme = value
        case ":authority": authority = value
        case ":path": path = value
        case ":protocol": extendedConnect = value
        default:
            guard let name = HTTPField.Name(name), HTTPField.isValidValue(value) else {
                problem = .invalid
                return
            }
            fields.append(HTTPField(name: name, value: value))
        }
    }

    /// The request; `nil` if the method is none, or a field that the request needs is missing.
    var request: HTTPRequest? {
        guard problem == nil, let method = method.flatMap({ HTTPRequest.Method($0) }) else { return nil }
        let host = HTTPField.Name("Host").flatMap { fields[$0] }
        var request = HTTPRequest(
            method: method, scheme: scheme, authority: authority ?? host, path: path, headerFields: fields)
        if let extendedConnect { request.extendedConnectProtocol = extendedConnect }
        return request
    }
}
