/// What one connection may use.
struct HTTP2Limits {
    /// Streams open at a time.
    var streams: UInt32 = 100
    /// Bytes a client may send on a stream before we have taken them.
    var window: UInt32 = 65_536
    /// Bytes of a head's names and values; the announced SETTINGS_MAX_HEADER_LIST_SIZE.
    var headerBytes = 16 * 1024
    /// Fields of a head.
    var headerFields = 100
    /// CONTINUATION frames of one head: as many as a head of the allowed size could need, and some.
    var continuations = 6
}
