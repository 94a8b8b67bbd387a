import HTTPTypes
import NIOHTTP1

extension HTTPRequest {
    /// - Returns: `nil` if the method or a field's name or value is not what RFC 9110 allows, or the host is not named once
    ///   (RFC 9112 §3.2): whom a proxy takes the request for and whom we do would not be the same.
    init?(_ head: HTTPRequestHead, scheme: String) {
        guard let method = HTTPRequest.Method(head.method.rawValue) else { return nil }
        let hosts = head.headers.count { $0.name.lowercased() == "host" }
        guard hosts == 1 || hosts == 0 && head.version == .http1_0 else { return nil }
        var fields = HTTPFields()
        fields.reserveCapacity(head.headers.count)
        for (name, value) in head.headers {
            guard let name = HTTPField.Name(name), HTTPField.isValidValue(value) else { return nil }
            fields.append(HTTPField(name: name, value: value))
        }
        self.init(
            method: method, scheme: scheme, authority: head.headers.first(name: "host"), path: head.uri,
            headerFields: fields)
    }
}

extension HTTPResponseHead {
    init(_ response: HTTPResponse, version: HTTPVersion) {
        var headers = HTTPHeaders()
        headers.reserveCapacity(response.headerFields.count + 3)
        for field in response.headerFields { headers.add(name: field.name.rawName, value: field.value) }
        self.init(
            version: version,
            status: HTTPResponseStatus(statusCode: response.status.code, reasonPhrase: response.status.reasonPhrase),
            headers: headers)
    }
}
