/// A version of HTTP, as logs and metrics write it.
enum HTTPVersionName: String, CaseIterable {
    case http1 = "1.1"
    case http2 = "2"
}
