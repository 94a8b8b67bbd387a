/// Tells a receiver that packets (TLLEI) or pictures (PSLEI) were lost before they reached its sender, so that it does not
/// ask for them (RFC 6642 §4), read in place.
enum ThirdPartyLossIndication {
    /// At most this many items are accepted.
    static let maximumItems = 256

    /// - Returns: how many packets of the media stream the sender misses.
    static func lostPackets(in packet: RTCPPacketView) throws(WireError) -> Int {
        try packet.expect(.transportFeedback, format: RTCPFeedbackFormat.thirdPartyLoss)
        var reader = unsafe ByteReader(packet.payload)
        try reader.skip(8)
        guard reader.remaining > 0, reader.remaining % 4 == 0 else { throw .malformed }
        guard reader.remaining / 4 <= maximumItems else { throw .tooLarge }
        var count = 0
        while reader.remaining > 0 {
            try reader.skip(2)
            count += 1 + (try reader.readUInt16()).nonzeroBitCount
        }
        return count
    }

    /// - Returns: how many streams miss a picture.
    static func streamsWithoutPicture(in packet: RTCPPacketView) throws(WireError) -> Int {
        try packet.expect(.payloadFeedback, format: RTCPFeedbackFormat.thirdPartyPictureLoss)
        var reader = unsafe ByteReader(packet.payload)
        try reader.skip(8)
        guard reader.remaining > 0, reader.remaining % 4 == 0 else { throw .malformed }
        guard reader.remaining / 4 <= maximumItems else { throw .tooLarge }
        return reader.remaining / 4
    }
}
