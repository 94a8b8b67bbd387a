public import RoundhouseMedia

/// An SRTP key with its cipher, as mediasoup writes it.
public struct SRTPParameters: Sendable, Hashable {
    /// The cipher.
    public var cryptoSuite: SRTPProfile
    /// Key and salt of the sender.
    public var key: SRTPMasterKey

    /// Parameters.
    public init(cryptoSuite: SRTPProfile, key: SRTPMasterKey) {
        self.cryptoSuite = cryptoSuite
        self.key = key
    }
}
