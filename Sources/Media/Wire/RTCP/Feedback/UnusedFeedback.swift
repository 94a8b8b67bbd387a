/// Feedback that this server understands and does nothing about: its congestion control goes by transport-wide feedback,
/// and its repairs by NACK and key frames.
///
/// Reading it all the same tells what is merely of no use from what is wrong.
enum UnusedFeedback {
    /// - Throws: `unexpectedType` for feedback nobody has specified, else why its content is wrong.
    static func check(_ packet: RTCPPacketView) throws(WireError) {
        switch (packet.type, packet.count) {
        case (.transportFeedback, RTCPFeedbackFormat.temporaryMaximumBitrate),
            (.transportFeedback, RTCPFeedbackFormat.temporaryMaximumBitrateNotification):
            _ = try TemporaryMaximumBitrate(parsing: packet)
        case (.transportFeedback, RTCPFeedbackFormat.thirdPartyLoss):
            _ = try ThirdPartyLossIndication.lostPackets(in: packet)
        case (.transportFeedback, RTCPFeedbackFormat.congestionNotification):
            _ = try CongestionNotification(parsing: packet)
        case (.payloadFeedback, RTCPFeedbackFormat.sliceLossIndication): _ = try SliceLossIndication(parsing: packet)
        case (.payloadFeedback, RTCPFeedbackFormat.referencePictureSelection):
            _ = try ReferencePictureSelection(parsing: packet)
        case (.payloadFeedback, RTCPFeedbackFormat.tradeOffRequest),
            (.payloadFeedback, RTCPFeedbackFormat.tradeOffNotification):
            _ = try TemporalSpatialTradeOff(parsing: packet)
        case (.payloadFeedback, RTCPFeedbackFormat.videoBackChannel): _ = try VideoBackChannelMessage(parsing: packet)
        case (.payloadFeedback, RTCPFeedbackFormat.thirdPartyPictureLoss):
            _ = try ThirdPartyLossIndication.streamsWithoutPicture(in: packet)
        case (.payloadFeedback, RTCPFeedbackFormat.applicationLayer):
            do { _ = try ReceiverEstimatedMaximumBitrate(parsing: packet) } catch {
                // Another application's.
                guard error == .unexpectedType else { throw error }
                try checkHeader(packet)
            }
        case (.transportFeedback, RTCPFeedbackFormat.resynchronizationRequest),
            (.transportFeedback, RTCPFeedbackFormat.rapidAcquisition),
            (.transportFeedback, RTCPFeedbackFormat.portMapping), (.transportFeedback, RTCPFeedbackFormat.extended),
            (.payloadFeedback, RTCPFeedbackFormat.regionOfInterest),
            (.payloadFeedback, RTCPFeedbackFormat.extended):
            try checkHeader(packet)
        default: throw .unexpectedType
        }
    }

    /// The two SSRCs that all feedback begins with (RFC 4585 §6.1).
    private static func checkHeader(_ packet: RTCPPacketView) throws(WireError) {
        guard unsafe packet.payload.count >= 8 else { throw .truncated }
    }
}
