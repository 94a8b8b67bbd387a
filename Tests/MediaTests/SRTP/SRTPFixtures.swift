import Testing

@testable import RoundhouseMedia

/// Bytes of a hexadecimal text, blanks ignored.
func bytes(hex text: String) -> [UInt8] {
    let digits = text.utf8.compactMap { Character(UnicodeScalar($0)).hexDigitValue }
    return stride(from: 0, to: digits.count - 1, by: 2).map { UInt8(digits[$0] << 4 | digits[$0 + 1]) }
}

/// An RTP packet to protect, with its header's length.
struct TestRTPPacket {
    var bytes: [UInt8]
    var headerLength: Int

    init(
        ssrc: UInt32 = 0xCAFE_BABE, sequence: UInt16, payloadLength: Int, contributors: Int = 0,
        extensionWords: Int? = nil
    ) {
        bytes = [0x80 | UInt8(contributors), 96, UInt8(sequence >> 8), UInt8(sequence & 0xFF), 1, 2, 3, 4]
        if extensionWords != nil { bytes[0] |= 0x10 }
        bytes += withUnsafeBytes(of: ssrc.bigEndian, Array.init)
        bytes += (0..<4 * contributors).map { UInt8($0) }
        if let extensionWords {
            bytes += [0xBE, 0xDE, UInt8(extensionWords >> 8), UInt8(extensionWords & 0xFF)]
            bytes += (0..<4 * extensionWords).map { UInt8(truncatingIfNeeded: $0 &* 7) }
        }
        headerLength = bytes.count
        bytes += (0..<payloadLength).map { UInt8(truncatingIfNeeded: $0 &* 31 &+ Int(sequence)) }
    }

    var sequence: UInt16 { UInt16(bytes[2]) << 8 | UInt16(bytes[3]) }
    var ssrc: UInt32 { bytes[8..<12].reduce(0) { $0 << 8 | UInt32($1) } }
}

/// A sender report with as much more as asked, and the sender's SSRC.
func rtcpPacket(ssrc: UInt32 = 0xCAFE_BABE, length: Int, fill: Int = 0) -> [UInt8] {
    let head: [UInt8] = [0x80, 200, UInt8((length / 4 - 1) >> 8 & 0xFF), UInt8((length / 4 - 1) & 0xFF)]
    let body = (0..<length - 8).map { UInt8(truncatingIfNeeded: $0 &* 13 &+ fill) }
    return head + withUnsafeBytes(of: ssrc.bigEndian, Array.init) + body
}

/// Which engine serves which profile in these tests: every pair.
struct SRTPCase: CustomTestStringConvertible, Sendable {
    var profile: SRTPProfile
    var engine: SRTPEngine
    static let all = SRTPProfile.allCases.flatMap { profile in
        var engines = [SRTPEngine.libcrypto]
        if profile.isAEAD, AcceleratedGCMCipher.isAvailable { engines.append(.accelerated) }
        return engines.map { SRTPCase(profile: profile, engine: $0) }
    }
    var testDescription: String { "\(profile.rawValue) by \(engine)" }
}

func masterKey(_ profile: SRTPProfile, seed: UInt8 = 1) -> SRTPMasterKey {
    SRTPMasterKey(
        key: (0..<profile.keyLength).map { UInt8(truncatingIfNeeded: $0 &* 17) ^ seed },
        salt: (0..<profile.saltLength).map { UInt8(truncatingIfNeeded: $0 &* 29 &+ 5) ^ seed })
}

/// What is written behind the room that a call was promised.
struct Overrun: Error {}

private let guardBytes = [UInt8](repeating: 0xEE, count: 32)

/// A sealer in a box: the testing macros copy what they are given.
final class TestSealer {
    private var sealer: SRTPSender
    var nextRTCPIndex: UInt32 { sealer.nextRTCPIndex }

    init(_ sealer: consuming SRTPSender) { self.sealer = sealer }

    convenience init(
        _ profile: SRTPProfile, _ master: SRTPMasterKey, engine: SRTPEngine = .libcrypto, nextRTCPIndex: UInt32 = 1
    ) throws {
        self.init(try SRTPSender(profile: profile, master: master, nextRTCPIndex: nextRTCPIndex, engine: engine))
    }

    /// Seals from a payload apart from the packet, or in place.
    func sealed(_ packet: TestRTPPacket, index: UInt64, inPlace: Bool = false) throws -> [UInt8] {
        let payload = Array(packet.bytes[packet.headerLength...])
        var buffer = Array(packet.bytes[..<packet.headerLength])
        buffer += inPlace ? payload : [UInt8](repeating: 0xAA, count: payload.count)
        buffer += [UInt8](repeating: 0xDD, count: sealer.profile.tagLength) + guardBytes
        let room = packet.bytes.count + sealer.profile.tagLength
        let length = buffer.withUnsafeMutableBytes { buffer in
            payload.withUnsafeBytes { payload in
                let place = buffer.baseAddress! + packet.headerLength
                // An empty array has no address of its own.
                let source = inPlace ? UnsafeRawPointer(place) : payload.baseAddress ?? UnsafeRawPointer(place)
                return sealer.sealRTP(
                    buffer.baseAddress!, headerLength: packet.headerLength, payload: source,
                    payloadLength: payload.count, ssrc: packet.ssrc, index: index)
            }
        }
        guard Array(buffer[room...]) == guardBytes else { throw Overrun() }
        return Array(buffer[..<length])
    }

    func sealedRTCP(_ packet: [UInt8]) throws -> [UInt8] {
        var buffer = packet + [UInt8](repeating: 0xDD, count: sealer.profile.rtcpOverhead) + guardBytes
        let length = buffer.withUnsafeMutableBytes { sealer.sealRTCP($0.baseAddress!, count: packet.count) }
        guard Array(buffer[(packet.count + sealer.profile.rtcpOverhead)...]) == guardBytes else { throw Overrun() }
        return Array(buffer[..<length])
    }
}

/// An opener in a box.
final class TestOpener {
    private var opener: SRTPReceiver
    var streamCount: Int { opener.streamCount }
    var streams: [SRTPStreamState] { opener.streams }

    init(_ opener: consuming SRTPReceiver) { self.opener = opener }

    convenience init(_ profile: SRTPProfile, _ master: SRTPMasterKey, engine: SRTPEngine = .libcrypto) throws {
        self.init(try SRTPReceiver(profile: profile, master: master, engine: engine))
    }

    func retire(_ ssrc: UInt32) { opener.retire(ssrc) }
    func resume(_ state: SRTPStreamState) -> Bool { opener.resume(state) }

    /// The result, and the plaintext when there is one.
    func opened(_ packet: [UInt8]) -> (SRTPOpenResult, [UInt8]) {
        var buffer = packet
        let result = buffer.withUnsafeMutableBytes { opener.openRTP($0.baseAddress ?? scratch, count: packet.count) }
        guard case .opened(_, let length, _) = result else { return (result, []) }
        return (result, Array(buffer[..<length]))
    }

    func openedRTCP(_ packet: [UInt8]) -> (SRTPOpenResult, [UInt8]) {
        var buffer = packet
        let result = buffer.withUnsafeMutableBytes { opener.openRTCP($0.baseAddress ?? scratch, count: packet.count) }
        guard case .opened(_, let length, _) = result else { return (result, []) }
        return (result, Array(buffer[..<length]))
    }

    private var scratch: UnsafeMutableRawPointer { UnsafeMutableRawPointer(bitPattern: 64)! }
}

/// libsrtp in a box.
final class TestReference {
    private let reference: LibSRTPSession

    init(_ profile: SRTPProfile, _ master: SRTPMasterKey, _ direction: LibSRTPSession.Direction) throws {
        reference = try LibSRTPSession(profile: profile, master: master, direction: direction)
    }

    func protected(_ packet: [UInt8], rtcp: Bool = false) -> [UInt8]? {
        var buffer = packet + [UInt8](repeating: 0, count: 160)
        let length = buffer.withUnsafeMutableBytes {
            rtcp
                ? reference.protectRTCP($0.baseAddress!, count: packet.count)
                : reference.protect($0.baseAddress!, count: packet.count)
        }
        return length.map { Array(buffer[..<$0]) }
    }

    func unprotected(_ packet: [UInt8], rtcp: Bool = false) -> [UInt8]? {
        var buffer = packet
        let result = buffer.withUnsafeMutableBytes {
            rtcp
                ? reference.unprotectRTCP($0.baseAddress!, count: packet.count)
                : reference.unprotect($0.baseAddress!, count: packet.count)
        }
        guard case .opened(let length) = result else { return nil }
        return Array(buffer[..<length])
    }
}
