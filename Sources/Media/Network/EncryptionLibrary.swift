/// What AES-GCM is done by.
public enum EncryptionLibrary: Sendable {
    /// libcrypto.
    case usual
    /// intel-ipsec-mb, which gave the answers that are known.
    case accelerated
    /// libcrypto, since the intel-ipsec-mb that is there gave wrong answers.
    case insteadOfFaulty
}
