// Safe: the buffer is read through `ByteReader`, which checks every bound, while the caller keeps it alive.

/// One item of a source description (RFC 3550 §6.5).
@safe struct SourceDescriptionItem {
    /// RFC 3550 §6.5.1.
    static let cname: UInt8 = 1

    let ssrc: SSRC
    let type: UInt8
    /// At most 255 bytes of UTF-8, in the packet.
    let text: UnsafeRawBufferPointer
}
