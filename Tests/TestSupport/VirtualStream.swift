// Reads the media plane's internals, which a release build shows only with -enable-testing -DTESTING.
#if DEBUG || TESTING
    @testable import RoundhouseMedia

    /// A client's TCP connection in virtual time: what it takes is bounded, and what comes out of it are packets again.
    // Safe: packets are copied before the next call.
    final class VirtualStream {
        let remote: IPAddressPort
        let local: IPAddressPort
        /// Bits per second; `nil`: everything is taken.
        var rate: UInt64? { didSet { room = 0 } }
        /// Bytes that are taken now, of a connection with a rate.
        private(set) var room = 0
        /// Whether it took less than it was given.
        private(set) var isShort = false
        private var reader = TCPFrameReader()
        private let scratch = UnsafeMutableRawBufferPointer.allocate(byteCount: TCPFrameReader.longest, alignment: 1)
        /// What the kernel keeps unsent at most.
        private static let mostRoom = 16_384

        init(remote: IPAddressPort, local: IPAddressPort) {
            self.remote = remote
            self.local = local
        }

        deinit { scratch.deallocate() }

        /// - Returns: whether it takes more again, after it took less than it was given.
        func advance(by time: MediaDuration) -> Bool {
            guard let rate else {
                defer { isShort = false }
                return isShort
            }
            room = min(room + Int(rate) / 8 * Int(time.microseconds) / 1_000_000, Self.mostRoom)
            guard isShort, room >= Self.mostRoom / 8 else { return false }
            isShort = false
            return true
        }

        /// - Returns: how much was taken, and the packets that are whole by it.
        func write(_ bytes: UnsafeRawBufferPointer) -> (taken: Int, packets: [[UInt8]]) {
            let taken = rate == nil ? bytes.count : min(bytes.count, room)
            if rate != nil { room -= taken }
            isShort = taken < bytes.count
            var copy = Array(bytes[..<taken])
            var packets: [[UInt8]] = []
            copy.withUnsafeMutableBytes { buffer in
                var input = buffer
                do {
                    while let packet = try reader.next(in: &input, scratch: scratch) { packets.append(Array(packet)) }
                } catch {
                    preconditionFailure("the server tore a packet: its client cannot find the next one")
                }
            }
            return (taken, packets)
        }

        /// A packet as it is sent.
        static func frame(_ packet: [UInt8]) -> [UInt8] {
            [UInt8(packet.count >> 8), UInt8(truncatingIfNeeded: packet.count)] + packet
        }
    }
#endif
