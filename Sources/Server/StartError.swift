/// Why the server did not start, in one line.
struct StartError: Error {
    let message: String
    init(_ message: String) { self.message = message }
}
