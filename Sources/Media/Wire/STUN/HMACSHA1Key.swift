// Safe: buffers are read by indices below their own count.

/// A key for HMAC-SHA1 (RFC 2104) with both padded key blocks hashed in advance.
struct HMACSHA1Key: Sendable {
    private var inner = SHA1()
    private var outer = SHA1()

    /// - Parameter key: any length; one beyond 64 bytes is hashed first (RFC 2104 §2).
    init(_ key: UnsafeRawBufferPointer) {
        var block = InlineArray<64, UInt8>(repeating: 0)
        if key.count > SHA1.blockLength {
            var hash = SHA1()
            unsafe hash.update(key)
            let digest = hash.finalize()
            for index in 0..<SHA1.digestLength { block[index] = digest[index] }
        } else {
            for index in 0..<key.count { block[index] = unsafe key[index] }
        }
        for index in 0..<SHA1.blockLength {
            inner.update(block[index] ^ 0x36)
            outer.update(block[index] ^ 0x5C)
        }
    }

    /// A short-term credential's key: the password's bytes (RFC 8489 §9.1.1). ICE passwords are ASCII, which OpaqueString
    /// preparation leaves as they are.
    init(password: String) {
        var password = password
        self = password.withUTF8 { unsafe HMACSHA1Key(UnsafeRawBufferPointer($0)) }
    }

    /// Starts a message: feed it, then pass it to `finish(_:)`.
    func begin() -> SHA1 { inner }

    func finish(_ message: consuming SHA1) -> SHA1Digest {
        let innerDigest = message.finalize()
        var hash = outer
        for index in 0..<SHA1.digestLength { hash.update(innerDigest[index]) }
        return hash.finalize()
    }

    func authenticationCode(of message: UnsafeRawBufferPointer) -> SHA1Digest {
        var hash = begin()
        unsafe hash.update(message)
        return finish(hash)
    }
}

// MARK: Snapshot

extension HMACSHA1Key: Restorable {
    init(restoring reader: inout SnapshotReader) throws(WireError) {
        inner = try SHA1(afterOneBlock: &reader)
        outer = try SHA1(afterOneBlock: &reader)
    }

    func write(to writer: inout SnapshotWriter) {
        inner.writeState(to: &writer)
        outer.writeState(to: &writer)
    }
}
