// Reads the media plane's internals, which a release build shows only with -enable-testing -DTESTING.
#if DEBUG || TESTING
    @testable import RoundhouseMedia

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
        static let shortest = prefixLength + contentLength
        static let contentLength = 12

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
            write(content, at: prefixLength, into: bytes)
        }

        /// Fills a payload from `start` to its end.
        static func write(_ content: Content, at start: Int, into bytes: UnsafeMutableRawBufferPointer) {
            precondition(bytes.count >= start + contentLength)
            bytes.storeBytes(of: content.stream, toByteOffset: start, as: UInt32.self)
            bytes.storeBytes(of: content.number, toByteOffset: start + 4, as: UInt64.self)
            var offset = start + contentLength
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

        /// Where the content starts: behind the codec's payload descriptor and one byte of its own.
        static func start(in bytes: UnsafeRawBufferPointer, codec: CodecKind) -> Int {
            switch codec {
            case .vp8: (try? VP8Descriptor(parsing: bytes)).map { $0.length + 1 } ?? prefixLength
            case .vp9: (try? VP9Descriptor(parsing: bytes)).map { $0.length + 1 } ?? prefixLength
            default: prefixLength
            }
        }

        /// What a payload says it is; `nil` when its bytes are not those that were written.
        static func read(_ bytes: UnsafeRawBufferPointer, codec: CodecKind = .vp8) -> Content? {
            let start = start(in: bytes, codec: codec)
            guard bytes.count >= start + contentLength else { return nil }
            let content = Content(
                stream: bytes.loadUnaligned(fromByteOffset: start, as: UInt32.self),
                number: bytes.loadUnaligned(fromByteOffset: start + 4, as: UInt64.self))
            var offset = start + contentLength
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
