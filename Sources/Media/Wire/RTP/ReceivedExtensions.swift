// Safe: `RTPExtensionIterator` yields ranges inside the packet, and lengths are compared before each read.

/// What the header extensions of one received packet say, found in one pass over the block.
///
/// Ranges count from the packet's first byte. An element whose length contradicts its type is left out.
struct ReceivedExtensions: Hashable, Sendable {
    var mid: Range<Int>?
    var rid: Range<Int>?
    var repairedRID: Range<Int>?
    /// 24 bits: 6.18 fixed-point seconds.
    var absSendTime: UInt32?
    var transportWideSequence: UInt16?
    var audioLevel: AudioLevel?
    var dependencyDescriptor: Range<Int>?
    /// Camera, flip and rotation bits, as 3GPP TS 26.114 §7.4.5 lays them out.
    var videoOrientation: UInt8?
    /// In units of the RTP clock, 24 bits signed (RFC 5450 §2).
    var transmissionOffset: Int32?
    var absCaptureTime: Range<Int>?
    var playoutDelay: PlayoutDelay?

    init() {}

    /// Reads the elements that `ids` names; the rest is skipped.
    /// - Parameter packet: the bytes `header` was parsed from.
    init(_ header: RTPHeader, in packet: UnsafeRawBufferPointer, ids: HeaderExtensionIDs) {
        var elements = unsafe RTPExtensionIterator(header, in: packet)
        while let (id, range) = elements.next() {
            switch ids.meaning(of: id) {
            case .mid: mid = range
            case .rid: rid = range
            case .repairedRID: repairedRID = range
            case .absSendTime:
                if range.count == 3 { absSendTime = unsafe packet.uint24(provenAt: range.lowerBound) }
            case .transportWideSequence:
                // Version 2 has two more bytes, a feedback request, behind the same number.
                if range.count >= 2 { transportWideSequence = unsafe packet.uint16(provenAt: range.lowerBound) }
            case .audioLevel:
                if range.count >= 1 { audioLevel = unsafe AudioLevel(encoded: packet[range.lowerBound]) }
            case .dependencyDescriptor: dependencyDescriptor = range
            case .videoOrientation:
                if range.count >= 1 { videoOrientation = unsafe packet[range.lowerBound] }
            case .transmissionOffset:
                if range.count == 3 {
                    let shifted = unsafe packet.uint24(provenAt: range.lowerBound) << 8
                    transmissionOffset = Int32(bitPattern: shifted) >> 8
                }
            case .absCaptureTime: absCaptureTime = range
            case .playoutDelay:
                if range.count == 3 {
                    playoutDelay = unsafe PlayoutDelay(encoded: packet.uint24(provenAt: range.lowerBound))
                }
            case nil: continue
            }
        }
    }
}
