import CPageAssets
import HTTPTypes

/// The web page's files, compiled into the binary.
///
/// Looking a path up is a dictionary look-up among names fixed at build time, so no path can reach another file.
struct StaticAssets: Sendable {
    private struct Asset {
        var bytes: [UInt8]
        var contentType: String
        var entityTag: String
    }

    private let assets: [String: Asset]

    /// The page as it was built.
    init() {
        var files: [(path: String, bytes: [UInt8])] = []
        for index in 0..<page_asset_count {
            // Safe: the index is below the count, and the table's path is NUL-terminated and its bytes are `size` long,
            // all of static storage.
            let asset = page_asset_at(index).pointee
            let bytes = [UInt8](UnsafeBufferPointer(start: asset.bytes, count: asset.size))
            files.append((String(cString: asset.path), bytes))
        }
        self.init(files: files)
    }

    init(files: [(path: String, bytes: [UInt8])]) {
        var assets: [String: Asset] = [:]
        for file in files {
            assets[file.path] = Asset(
                bytes: file.bytes, contentType: Self.contentType(of: file.path),
                entityTag: Self.entityTag(of: file.bytes))
        }
        self.assets = assets
    }

    /// - Parameter path: the target's segments; none means the index.
    func contains(_ path: [String]) -> Bool { assets[Self.name(path)] != nil }

    private static func name(_ path: [String]) -> String {
        path.isEmpty ? "index.html" : path.joined(separator: "/")
    }

    func response(to request: IncomingRequest, path: [String]) -> OutgoingResponse? {
        guard let asset = assets[Self.name(path)] else { return nil }
        let fields: HTTPFields = [
            .contentType: asset.contentType,
            .eTag: asset.entityTag,
            .cacheControl: "no-cache",
            .xContentTypeOptions: "nosniff",
            .contentSecurityPolicy: Self.contentSecurityPolicy(for: request.head.authority),
            .referrerPolicy: "no-referrer",
            .permissionsPolicy: Self.permissionsPolicy,
            .crossOriginOpenerPolicy: "same-origin",
            // Pages of other origins may be let in, and load the client from here.
            .crossOriginResourcePolicy: path.first == "socket.io" ? "cross-origin" : "same-origin",
        ]
        if let tags = request.head.headerFields[.ifNoneMatch], Self.matches(tags, asset.entityTag) {
            return OutgoingResponse(status: .notModified, headerFields: fields)
        }
        return OutgoingResponse(status: .ok, headerFields: fields, body: asset.bytes)
    }

    /// The page runs only its own files and talks only to this server; `blob:` and `data:` are for media and icons. Older
    /// Safari does not count WebSockets to the page's own host as `'self'`.
    static func contentSecurityPolicy(for authority: String?) -> String {
        let host = authority.flatMap { $0.utf8.allSatisfy(isOfHost) ? $0 : nil }
        let sockets = host.map { " ws://\($0) wss://\($0)" } ?? ""
        return "default-src 'self'; connect-src 'self'\(sockets); img-src 'self' data: blob:; "
            + "media-src 'self' blob: mediastream:; object-src 'none'; base-uri 'none'; form-action 'self'; "
            + "frame-ancestors 'none'"
    }

    /// What may stand in a host with a port, and ends no directive.
    private static func isOfHost(_ byte: UInt8) -> Bool {
        switch byte {
        case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"),
            UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "."), UInt8(ascii: "-"), UInt8(ascii: ":"),
            UInt8(ascii: "["), UInt8(ascii: "]"):
            true
        default: false
        }
    }

    /// What a call uses, and only the page itself.
    static let permissionsPolicy =
        "camera=(self), microphone=(self), display-capture=(self), fullscreen=(self), picture-in-picture=(self), "
        + "autoplay=(self), geolocation=(), payment=(), usb=(), serial=(), hid=(), midi=(), accelerometer=(), gyroscope=()"

    /// The weak comparison of RFC 9110 §13.1.2.
    private static func matches(_ header: String, _ tag: String) -> Bool {
        header.split(separator: ",").contains { item in
            let trimmed = item.drop { $0 == " " || $0 == "\t" }.prefix { $0 != " " && $0 != "\t" }
            return trimmed == "*" || trimmed == tag || trimmed == "W/" + tag
        }
    }

    private static func contentType(of path: String) -> String {
        switch path.split(separator: ".").last {
        case "html": "text/html; charset=utf-8"
        case "js", "mjs": "text/javascript; charset=utf-8"
        case "css": "text/css; charset=utf-8"
        case "json", "map": "application/json"
        case "webmanifest": "application/manifest+json"
        case "svg": "image/svg+xml"
        case "png": "image/png"
        case "ico": "image/x-icon"
        case "woff2": "font/woff2"
        case "wasm": "application/wasm"
        case "txt", "md": "text/plain; charset=utf-8"
        default: "application/octet-stream"
        }
    }

    /// FNV-1a over the bytes: a tag has to change with them, not to withstand an attacker, who cannot choose them.
    private static func entityTag(of bytes: [UInt8]) -> String {
        var hash: UInt64 = 0xcbf2_9ce4_8422_2325
        for byte in bytes { hash = (hash ^ UInt64(byte)) &* 0x100_0000_01b3 }
        return "\"" + String(hash, radix: 16) + "-" + String(bytes.count, radix: 16) + "\""
    }
}

extension HTTPField.Name {
    // '!' okay: tokens.
    static let referrerPolicy = HTTPField.Name("Referrer-Policy")!
    static let permissionsPolicy = HTTPField.Name("Permissions-Policy")!
    static let crossOriginOpenerPolicy = HTTPField.Name("Cross-Origin-Opener-Policy")!
}
