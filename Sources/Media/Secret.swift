/// A text that only those may see who ask for it by name: a password, a token, a key.
public struct Secret: Sendable, Hashable, Redacted {
    /// The text itself, to be sent or computed with.
    public let revealed: String

    /// Hides a text.
    public init(_ text: String) { revealed = text }

    /// Whether it is empty.
    public var isEmpty: Bool { revealed.isEmpty }

    /// Compares in a time that depends on the lengths alone, and not on where the first difference is.
    public func matches(_ other: Secret) -> Bool {
        let own = Array(revealed.utf8)
        let given = Array(other.revealed.utf8.prefix(own.count + 1))
        var difference = own.count ^ given.count
        for (index, byte) in own.enumerated() { difference |= Int(byte ^ (index < given.count ? given[index] : ~byte)) }
        return difference == 0
    }
}

extension SRTPMasterKey: Redacted {}

extension SRTPSessionKeys: Redacted {}

extension SRTPSender.Snapshot: Redacted {}

extension SRTPReceiver.Snapshot: Redacted {}

extension DTLSTrafficKey: Redacted {}

extension DTLSRecordLayer.Snapshot: Redacted {}

extension ICECredentials: Redacted {}

extension HMACSHA1Key: Redacted {}
