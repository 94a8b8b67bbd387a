import CSRTP

/// What libsrtp says of a packet it was given to open.
enum LibSRTPResult: Equatable {
    case opened(Int)
    case replayed
    case authenticationFailed
    case malformed

    init(_ status: srtp_err_status_t, _ length: Int32) {
        switch status {
        case srtp_err_status_ok: self = .opened(Int(length))
        case srtp_err_status_replay_fail, srtp_err_status_replay_old: self = .replayed
        case srtp_err_status_auth_fail: self = .authenticationFailed
        default: self = .malformed
        }
    }
}
