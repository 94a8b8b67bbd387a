/// The layout of a header template, and the writing of one.
///
/// Bytes 0–11 are the fixed header, 12–15 the one-byte extension block's head (RFC 8285 §4.2); then, always at the same
/// offsets, abs-send-time, the transport-wide sequence number and eight bytes for a MID; then what is passed on from the
/// sender. A consumer that did not negotiate an element overwrites it with padding zeros.
///
/// A dependency descriptor comes first among what is passed on. One of more than 16 bytes, as key frames have, needs a
/// two-byte block (RFC 8285 §4.3): there, four more bytes are left before it, and each consumer widens the elements it
/// has patched (`DependencyDescriptorRewriter`).
enum HeaderTemplate {
    static let absSendTimeOffset = 16
    static let transportWideOffset = 20
    static let midOffset = 23
    static let midCapacity = 8
    static let proxiedOffset = 32
    /// Where what is passed on begins in a two-byte block.
    static let wideProxiedOffset = 36
    /// A longer descriptor is left out: nine decode targets need about 100 bytes.
    static let longestDescriptor = 200
    /// 36 fixed bytes, then descriptor 202, audio level 3, orientation 3, transmission offset 5, capture time 18,
    /// playout delay 5, padding.
    static let largestLength = 288

    /// Writes the template of a packet.
    /// - Parameters:
    ///   - destination: `largestLength` writable bytes.
    ///   - packet: the decrypted packet that `extensions` points into.
    ///   - hasDescriptor: whether the dependency descriptor is passed on.
    /// - Returns: the template's length.
    // Safe: the offsets below end before `largestLength`; the descriptor and the capture time are the only elements of the
    // sender's choice, and are checked to be inside `packet`, and at most `longestDescriptor`, and 8 or 16 bytes long.
    static func write(
        to destination: UnsafeMutableRawPointer, header: RTPHeader, payloadType: UInt8, extensions: ReceivedExtensions,
        in packet: UnsafeRawBufferPointer, hasDescriptor: Bool = false
    ) -> Int {
        var descriptor: Range<Int>?
        if hasDescriptor, let range = extensions.dependencyDescriptor, range.upperBound <= packet.count,
            (3...longestDescriptor).contains(range.count)
        {
            descriptor = range
        }
        let isWide = (descriptor?.count ?? 0) > 16
        unsafe destination.initializeMemory(as: UInt8.self, repeating: 0, count: descriptor == nil ? 64 : largestLength)
        unsafe destination.storeBytes(of: 0x90, as: UInt8.self)
        unsafe destination.storeBytes(of: (header.hasMarker ? 0x80 : 0) | payloadType, toByteOffset: 1, as: UInt8.self)
        unsafe destination.storeBytes(of: UInt16(isWide ? 0x1000 : 0xBEDE).bigEndian, toByteOffset: 12, as: UInt16.self)
        var offset = isWide ? wideProxiedOffset : proxiedOffset
        func element(_ id: UInt8, length: Int) {
            if isWide {
                unsafe destination.storeBytes(of: id, toByteOffset: offset, as: UInt8.self)
                unsafe destination.storeBytes(
                    of: UInt8(truncatingIfNeeded: length), toByteOffset: offset + 1, as: UInt8.self)
                offset += 2
                return
            }
            unsafe destination.storeBytes(
                of: id << 4 | UInt8(truncatingIfNeeded: length - 1), toByteOffset: offset, as: UInt8.self)
            offset += 1
        }
        func bytes(_ range: Range<Int>) {
            for index in range {
                unsafe destination.storeBytes(of: packet[index], toByteOffset: offset, as: UInt8.self)
                offset += 1
            }
        }
        func number(_ value: UInt32, length: Int) {
            for index in 0..<length {
                let shift = UInt32(8 * (length - 1 - index))
                unsafe destination.storeBytes(
                    of: UInt8(truncatingIfNeeded: value >> shift), toByteOffset: offset, as: UInt8.self)
                offset += 1
            }
        }
        if let descriptor {
            element(HeaderExtension.dependencyDescriptor.routerID, length: descriptor.count)
            bytes(descriptor)
        }
        if let level = extensions.audioLevel {
            element(HeaderExtension.audioLevel.routerID, length: 1)
            number(UInt32(level.encoded), length: 1)
        }
        if let orientation = extensions.videoOrientation {
            element(HeaderExtension.videoOrientation.routerID, length: 1)
            number(UInt32(orientation), length: 1)
        }
        if let transmissionOffset = extensions.transmissionOffset {
            element(HeaderExtension.transmissionOffset.routerID, length: 3)
            number(UInt32(bitPattern: transmissionOffset), length: 3)
        }
        if let range = extensions.absCaptureTime, range.count == 8 || range.count == 16,
            range.upperBound <= packet.count
        {
            element(HeaderExtension.absCaptureTime.routerID, length: range.count)
            bytes(range)
        }
        if let delay = extensions.playoutDelay {
            element(HeaderExtension.playoutDelay.routerID, length: 3)
            number(delay.encoded, length: 3)
        }
        let length = (offset + 3) & ~3
        let words = UInt16(truncatingIfNeeded: (length - 16) / 4)
        unsafe destination.storeBytes(of: words.bigEndian, toByteOffset: 14, as: UInt16.self)
        return length
    }
}
