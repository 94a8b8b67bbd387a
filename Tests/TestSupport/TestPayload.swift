// Reads the media plane's internals, which a release build shows only with -enable-testing -DTESTING.
#if DEBUG || TESTING
    @testable import Media

    /// Packet contents that say where they come from, so that a receiver can check them without asking the sender.
    ///
    /// Layout: the codec's own first bytes; the stream (4 bytes), the packet's number in the stream (8 bytes), and words that
    /// follow from both.
    // Safe: every access is compared with the buffer's length first.
    enum TestPayload {
        struct Content: Hashable {
            var stream: UInt32
            var number: UInt64
        }

        /// Bytes before the content.
        static let prefixLength = 2
        static let shortest = prefixLength + 12

        static func write(
            _ content: Content, codec: CodecKind, isFrameStart: Bool, isKeyFrame: Bool,
            into bytes: UnsafeMutableRawBufferPointer
        ) {
            precondition(bytes.count >= shortest)
            if codec == .vp8 {
                // RFC 7741 §4.2: the S bit opens a partition; §4.3: the P bit is zero in a key frame.
                bytes[0] = isFrameStart ? 0x10 : 0x00
                bytes[1] = isKeyFrame ? 0x00 : 0x01
            } else {
                bytes[0] = 0x78
                bytes[1] = 0
            }
            bytes.storeBytes(of: content.stream, toByteOffset: 2, as: UInt32.self)
            bytes.storeBytes(of: content.number, toByteOffset: 6, as: UInt64.self)
            var offset = shortest
            var word = seed(content)
            while offset + 8 <= bytes.count {
                bytes.storeBytes(of: word, toByteOffset: offset, as: UInt64.self)
                word = word &* 0x9E37_79B9_7F4A_7C15 &+ 1
                offset += 8
            }
            while offset < bytes.count {
                bytes[offset] = UInt8(truncatingIfNeeded: word)
                offset += 1
            }
        }

        /// What a payload says it is; `nil` when its bytes are not those that were written.
        static func read(_ bytes: UnsafeRawBufferPointer) -> Content? {
            guard bytes.count >= shortest else { return nil }
            let content = Content(
                stream: bytes.loadUnaligned(fromByteOffset: 2, as: UInt32.self),
                number: bytes.loadUnaligned(fromByteOffset: 6, as: UInt64.self))
            var offset = shortest
            var word = seed(content)
            while offset + 8 <= bytes.count {
                guard bytes.loadUnaligned(fromByteOffset: offset, as: UInt64.self) == word else { return nil }
                word = word &* 0x9E37_79B9_7F4A_7C15 &+ 1
                offset += 8
            }
            while offset < bytes.count {
                guard bytes[offset] == UInt8(truncatingIfNeeded: word) else { return nil }
                offset += 1
            }
            return content
        }

        private static func seed(_ content: Content) -> UInt64 {
            (content.number ^ UInt64(content.stream) << 32) &* 0xBF58_476D_1CE4_E5B9
        }
    }
#endif
