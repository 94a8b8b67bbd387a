/// The key and the fixed part of the nonce of one direction. Their lengths are the cipher's.
struct DTLSTrafficKey: Equatable {
    var encryptionKey: [UInt8]
    var salt: [UInt8]

    func fits(_ cipher: DTLSCipher) -> Bool {
        encryptionKey.count == cipher.keyLength && salt.count == cipher.fixedLength
    }
}
