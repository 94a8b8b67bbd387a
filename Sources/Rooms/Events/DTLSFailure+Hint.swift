import RoundhouseMedia

extension DTLSFailure {
    /// What to look at, for an operator.
    var hint: String {
        switch self {
        case .fingerprintMismatch: "the client showed another certificate than the fingerprint it signaled is of"
        case .noPeerCertificate: "the client showed no certificate"
        case .noSRTPProfile:
            "the client has no SRTP profile in common with the server: AEAD_AES_128_GCM, AEAD_AES_256_GCM or "
                + "AES128_CM_HMAC_SHA1_80 (--dtls-legacy has more)"
        case .timedOut: "the client stopped answering: packets are lost on the way, large ones perhaps"
        case .alertReceived: "the client gave up, and the detail says why"
        case .closedByPeer: "the client ended it before it was made"
        case .protocolViolation:
            "nothing in common could be negotiated, or the client broke the protocol; the detail says which: certificates "
                + "have to be ECDSA on P-256, P-384, P-521 or P-224, or RSA"
        case .internalError: "libssl has no memory"
        }
    }
}
