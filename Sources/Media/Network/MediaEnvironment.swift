import CLinuxNet

/// What this machine gives media threads, asked of the kernel itself: /proc is not everywhere.
public struct MediaEnvironment: Sendable {
    /// Processors that the process may run on.
    public let processors: Int
    /// Whether the kernel cuts one message into many datagrams (UDP_SEGMENT, Linux 4.18).
    public let sendsInSegments: Bool
    /// Whether a thread can wait for less than a millisecond (epoll_pwait2, Linux 5.11, where no sandbox refuses it).
    public let waitsInNanoseconds: Bool
    /// What encrypts.
    public static var encryption: EncryptionLibrary {
        AcceleratedGCMCipher.isAvailable ? .accelerated : AcceleratedGCMCipher.isFaulty ? .insteadOfFaulty : .usual
    }
    /// Whether the kernel holds its clock for synchronized; `nil` where a sandbox keeps it from saying so.
    public let isClockKeptRight: Bool?
    /// How many bytes of datagrams a socket keeps for a thread that is busy.
    public let receiveBufferBytes: Int
    /// How many bytes the server asks for.
    public static let wantedBufferBytes = EpollLoop.wantedBufferBytes

    /// Has the C library keep one heap for each processor, at most: to be called before there are threads.
    ///
    /// glibc gives threads heaps of their own, up to eight for each processor, and what one thread allocates and another one
    /// frees stays in the first one's. Tasks change threads all the time; media threads allocate nothing for packets.
    public static func limitHeaps() { cln_limit_heaps(max(cln_processor_count(), 2)) }

    /// - Throws: `MediaError` with code `system` when no UDP socket can be opened.
    public static func examine() throws(MediaError) -> MediaEnvironment {
        let loop = try EpollLoop(addresses: [IPAddressPort(ipv4: 0x7F00_0001, port: 0)])
        defer { loop.close() }
        func clock() -> Bool? {
            let state = cln_clock_is_synchronized()
            return state < 0 ? nil : state == 1
        }
        return MediaEnvironment(
            processors: Int(cln_processor_count()), sendsInSegments: loop.canSegment,
            waitsInNanoseconds: loop.waitsInNanoseconds,
            isClockKeptRight: clock(),
            receiveBufferBytes: loop.receiveBufferBytes)
    }
}
