/// The feedback message type of transport and payload-specific feedback, which takes the place of the count.
enum RTCPFeedbackFormat {
    /// RFC 4585 §6.2.1, of RTPFB.
    static let genericNACK: UInt8 = 1
    /// TMMBR, TMMBN (RFC 5104 §4.2), of RTPFB.
    static let temporaryMaximumBitrate: UInt8 = 3
    static let temporaryMaximumBitrateNotification: UInt8 = 4
    /// RFC 6051 §3.2, of RTPFB.
    static let resynchronizationRequest: UInt8 = 5
    /// RFC 6285 §7.1, of RTPFB.
    static let rapidAcquisition: UInt8 = 6
    /// TLLEI (RFC 6642 §4.1), of RTPFB.
    static let thirdPartyLoss: UInt8 = 7
    /// RFC 6679 §5.1, of RTPFB.
    static let congestionNotification: UInt8 = 8
    /// RFC 6284 §4.2, of RTPFB.
    static let portMapping: UInt8 = 9
    /// draft-holmer-rmcat-transport-wide-cc-extensions-01 §3.1, of RTPFB.
    static let transportWide: UInt8 = 15
    /// RFC 4585 §6.3.1, of PSFB.
    static let pictureLossIndication: UInt8 = 1
    /// RFC 4585 §6.3.2, of PSFB.
    static let sliceLossIndication: UInt8 = 2
    /// RFC 4585 §6.3.3, of PSFB.
    static let referencePictureSelection: UInt8 = 3
    /// RFC 5104 §4.3.1, of PSFB.
    static let fullIntraRequest: UInt8 = 4
    /// TSTR, TSTN (RFC 5104 §4.3.2, §4.3.3), of PSFB.
    static let tradeOffRequest: UInt8 = 5
    static let tradeOffNotification: UInt8 = 6
    /// RFC 5104 §4.3.4, of PSFB.
    static let videoBackChannel: UInt8 = 7
    /// PSLEI (RFC 6642 §4.2), of PSFB.
    static let thirdPartyPictureLoss: UInt8 = 8
    /// 3GPP TS 26.114 §7.3.7, of PSFB.
    static let regionOfInterest: UInt8 = 9
    /// Reserved for more formats (RFC 4585 §6.2, §6.3), of both.
    static let extended: UInt8 = 31
    /// RFC 4585 §6.4, of PSFB: REMB.
    static let applicationLayer: UInt8 = 15
}
