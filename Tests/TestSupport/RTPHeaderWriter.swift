#if DEBUG || TESTING
    @testable import RoundhouseMedia

    // Safe: the buffer is written through `ByteWriter`, which checks every bound.

    /// Writes an RTP header: the fixed part, then header extension elements, then `finish()`.
    ///
    /// The value passed in first is not read back: elements go straight into the destination buffer.
    struct RTPHeaderWriter {
        private var writer: ByteWriter
        private var form: RTPExtensionForm?
        private var extensionStart = 0

        /// Writes the twelve fixed bytes at the start of `buffer`.
        init(
            into buffer: UnsafeMutableRawBufferPointer, payloadType: UInt8, hasMarker: Bool,
            sequenceNumber: SequenceNumber,
            timestamp: RTPTimestamp, ssrc: SSRC, hasPadding: Bool = false
        ) throws(WireError) {
            writer = ByteWriter(buffer)
            try writer.writeUInt8(0x80 | (hasPadding ? 0x20 : 0))
            try writer.writeUInt8((hasMarker ? 0x80 : 0) | (payloadType & 0x7F))
            try writer.writeUInt16(sequenceNumber.rawValue)
            try writer.writeUInt32(timestamp.rawValue)
            try writer.writeUInt32(ssrc.rawValue)
        }

        /// Starts the extension block; call it at most once, before the first element.
        mutating func beginExtensions(_ form: RTPExtensionForm) throws(WireError) {
            guard self.form == nil else { throw .malformed }
            extensionStart = writer.count
            let start = UInt16(writer.written[0]) << 8 | UInt16(writer.written[1])
            try writer.overwriteUInt16(start | 0x1000, at: 0)
            try writer.writeUInt16(form.profile)
            try writer.writeUInt16(0)
            self.form = form
        }

        /// Appends an element, and says where its value lies from the packet's start, for later in-place changes.
        /// - Throws: `malformed` where the form cannot express the id or length, `noSpace`.
        @discardableResult
        mutating func appendExtension(id: UInt8, _ value: UnsafeRawBufferPointer) throws(WireError) -> Range<Int> {
            try appendElementHeader(id: id, length: value.count)
            let start = writer.count
            try writer.writeBytes(value)
            return start..<writer.count
        }

        @discardableResult
        mutating func appendExtension(id: UInt8, uint8 value: UInt8) throws(WireError) -> Range<Int> {
            try appendElementHeader(id: id, length: 1)
            try writer.writeUInt8(value)
            return writer.count - 1..<writer.count
        }

        @discardableResult
        mutating func appendExtension(id: UInt8, uint16 value: UInt16) throws(WireError) -> Range<Int> {
            try appendElementHeader(id: id, length: 2)
            try writer.writeUInt16(value)
            return writer.count - 2..<writer.count
        }

        @discardableResult
        mutating func appendExtension(id: UInt8, uint24 value: UInt32) throws(WireError) -> Range<Int> {
            try appendElementHeader(id: id, length: 3)
            try writer.writeUInt24(value)
            return writer.count - 3..<writer.count
        }

        /// Fills the extension block up to a multiple of four bytes and sets its length.
        /// - Returns: the header's length, where the payload starts.
        mutating func finish() throws(WireError) -> Int {
            guard form != nil else { return writer.count }
            try writer.writeZeros((4 - (writer.count - extensionStart) % 4) % 4)
            let words = (writer.count - extensionStart - 4) / 4
            guard let length = UInt16(exactly: words) else { throw .tooLarge }
            try writer.overwriteUInt16(length, at: extensionStart + 2)
            return writer.count
        }

        private mutating func appendElementHeader(id: UInt8, length: Int) throws(WireError) {
            switch form {
            case .oneByte:
                guard (1...14).contains(id), (1...16).contains(length) else { throw .malformed }
                try writer.writeUInt8(id << 4 | UInt8(length - 1))
            case .twoByte:
                guard id != 0, length <= 255 else { throw .malformed }
                try writer.writeUInt8(id)
                try writer.writeUInt8(UInt8(length))
            case nil: throw .malformed
            }
        }
    }
#endif
