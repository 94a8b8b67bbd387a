#if canImport(Glibc)
    import Glibc
#elseif canImport(Musl)
    import Musl
#endif

/// Where a program writes for people and for other programs: unbuffered, so that what waits for the line sees it at once even
/// through a pipe.
enum StandardStream {
    case output, error

    func write(_ text: String) { writeAll(text, to: self == .output ? STDOUT_FILENO : STDERR_FILENO) }
}

private func writeAll(_ text: String, to descriptor: CInt) {
    var bytes = Array(text.utf8)[...]
    while !bytes.isEmpty {
        // Safe: the pointer is used within the call, with the buffer's own count.
        let count = bytes.withUnsafeBytes { write(descriptor, $0.baseAddress, $0.count) }
        if count > 0 { bytes = bytes.dropFirst(count) } else if errno != EINTR { return }
    }
}
