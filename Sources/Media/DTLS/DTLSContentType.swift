/// What a record holds (RFC 5246 §6.2.1). The numbers are the wire's.
enum DTLSContentType: UInt8 {
    case changeCipherSpec = 20
    case alert = 21
    case handshake = 22
    case applicationData = 23
}
