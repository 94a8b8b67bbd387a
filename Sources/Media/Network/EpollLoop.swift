import CLinuxNet
import Glibc

/// A shard's sockets and its epoll instance: everything that waits, receives and sends in the kernel.
// Safe: descriptors are opened in `init`, closed once in `close`; the batch and the arrays are allocated in `init` with the
// capacities named there, and belong to the shard's thread alone.
// Sendable: `init` and `close` run before the thread starts and after it ended; the rest belongs to that thread, except
// `wakeDescriptor` and the constants.
@safe final class EpollLoop: DatagramOutput, @unchecked Sendable {
    /// The bound address of each socket; the index is what the shard calls a socket.
    let localAddresses: [IPAddressPort]
    let canSegment: Bool
    let tcp: TCPSockets
    /// Where TCP is listened on beside each of `localAddresses`, if it is.
    let listenerAddresses: [IPAddressPort?]
    /// Why it is not where it was to be.
    let listenerFailures: [String]
    /// Descriptors; −1 where an address has gone.
    private var sockets: [Int32]
    /// The owners of sockets that came with addresses later.
    private var added: [Int: AttachedSocket] = [:]
    /// Those of plain transports; the first has number `Shard.mostSockets`.
    private var plainBindings: [AttachedSocket?] = []
    /// The numbers of plain transports' sockets that had something at the last `wait`.
    private(set) var readyOwnSockets: [Int] = []
    private let events: UnsafeMutablePointer<epoll_event>
    private static let eventCapacity = 64
    private let epoll: Int32
    /// Written by other threads to end a sleep.
    let wakeDescriptor: Int32
    private let batch: OpaquePointer
    /// Messages in the kernel's form: one batch of them.
    private let messages: UnsafeMutablePointer<cln_message>
    private let destinations: UnsafeMutablePointer<cln_address>
    private let pieces: UnsafeMutablePointer<iovec>
    /// What each socket may keep for a thread that is busy, if the kernel's limit (net.core.rmem_max) allows it.
    static let wantedBufferBytes = 4 << 20
    /// The most bytes of a datagram that `receive` gives.
    static let largestDatagram = Int(CLN_RECEIVE_SIZE)
    private static let batchCapacity = Int(CLN_SEND_BATCH)
    private static let segmentCapacity = Int(CLN_SEND_SEGMENTS)
    private static let wakeToken = UInt64.max

    /// Opens one socket per address, of which there are at most `Shard.mostSockets`, and a listener beside each. Of TCP the
    /// ports of UDP may be somebody's, most likely that of a connection to elsewhere: nearly all clients do without it, so
    /// that the server starts all the same. Ports of TCP that were chosen have to be free.
    /// - Parameter isShared: whether other shards take the same addresses and ports.
    /// - Throws: `MediaError(.system)` naming the address, the port and what to change.
    init(
        addresses: [IPAddressPort], tcp ports: MediaTCPPorts = .none, shard: Int = 0, isShared: Bool = false,
        bufferBytes: Int = wantedBufferBytes
    ) throws(MediaError) {
        var opened: [Int32] = []
        var bound: [IPAddressPort] = []
        var listeners: [TCPListener?] = []
        var failures: [String] = []
        func abandon(_ error: MediaError) -> MediaError {
            for descriptor in opened { Glibc.close(descriptor) }
            return error
        }
        for address in addresses {
            do throws(MediaError) {
                let place = try Self.open(
                    address, ports, shard: shard, isShared: isShared, bufferBytes: bufferBytes)
                opened.append(place.descriptor)
                bound.append(place.bound)
                listeners.append(place.listener)
                if let failure = place.failure { failures.append(failure) }
            } catch {
                throw abandon(error)
            }
        }
        let epoll = epoll_create1(Int32(EPOLL_CLOEXEC))
        let wake = eventfd(0, Int32(EFD_CLOEXEC | EFD_NONBLOCK))
        guard epoll >= 0, wake >= 0, let batch = unsafe cln_receive_batch_create() else {
            let code = errno
            if epoll >= 0 { Glibc.close(epoll) }
            if wake >= 0 { Glibc.close(wake) }
            throw abandon(MediaError(.system, Self.explain(errno: code, address: nil)))
        }
        for (index, descriptor) in opened.enumerated() {
            Self.watch(descriptor, token: UInt64(index), in: epoll)
        }
        Self.watch(wake, token: Self.wakeToken, in: epoll)
        tcp = TCPSockets(epoll: epoll)
        for case (let number, let listener?) in listeners.enumerated() where !tcp.listen(listener, as: number) {
            // Nobody would answer there.
            failures.append(Self.explain(errno: errno, tcp: listener.address))
            listeners[number] = nil
        }
        listenerAddresses = listeners.map { $0?.address }
        listenerFailures = failures
        sockets = opened
        localAddresses = bound
        canSegment = opened.allSatisfy { cln_udp_can_segment($0) }
        self.epoll = epoll
        wakeDescriptor = wake
        unsafe self.batch = batch
        unsafe events = .allocate(capacity: Self.eventCapacity)
        unsafe events.initialize(repeating: epoll_event(), count: Self.eventCapacity)
        readyOwnSockets.reserveCapacity(Self.eventCapacity)
        unsafe messages = .allocate(capacity: Self.batchCapacity)
        unsafe destinations = .allocate(capacity: Self.batchCapacity)
        unsafe pieces = .allocate(capacity: Self.batchCapacity * Self.segmentCapacity)
    }

    deinit {
        unsafe events.deallocate()
        unsafe messages.deallocate()
        unsafe destinations.deallocate()
        unsafe pieces.deallocate()
    }

    /// Whether `wait` keeps to its nanoseconds, or rounds up to milliseconds.
    var waitsInNanoseconds: Bool { cln_waits_in_nanoseconds(epoll) }

    /// What the kernel gave the first socket of the bytes that were asked for.
    var receiveBufferBytes: Int { sockets.first.map { Int(cln_udp_receive_buffer($0)) } ?? 0 }

    func close() {
        for (number, descriptor) in sockets.enumerated() where descriptor >= 0 && added[number] == nil {
            Glibc.close(descriptor)
        }
        added = [:]
        plainBindings = []
        tcp.closeAll()
        Glibc.close(epoll)
        Glibc.close(wakeDescriptor)
        unsafe cln_receive_batch_destroy(batch)
    }

    func listen(on socket: AttachedSocket) -> Int? {
        let number = sockets.firstIndex(of: -1) ?? sockets.count
        guard number < Shard.mostSockets, Self.watch(socket.descriptor, token: UInt64(number), in: epoll) else {
            return nil
        }
        if let listener = socket.listener, !tcp.listen(listener, as: number) {
            epoll_ctl(epoll, EPOLL_CTL_DEL, socket.descriptor, nil)
            return nil
        }
        added[number] = socket
        if number == sockets.count { sockets.append(socket.descriptor) } else { sockets[number] = socket.descriptor }
        return number
    }

    func attach(_ socket: AttachedSocket) -> Int? {
        let free = plainBindings.firstIndex { $0 == nil }
        let number = Shard.mostSockets + (free ?? plainBindings.count)
        guard Self.watch(socket.descriptor, token: UInt64(number), in: epoll) else { return nil }
        if let free { plainBindings[free] = socket } else { plainBindings.append(socket) }
        return number
    }

    func detach(_ socket: Int) {
        let descriptor = descriptor(socket)
        guard descriptor >= 0 else { return }
        epoll_ctl(epoll, EPOLL_CTL_DEL, descriptor, nil)
        guard socket < Shard.mostSockets else {
            plainBindings[socket - Shard.mostSockets] = nil
            return
        }
        sockets[socket] = -1
        tcp.stopListening(socket)
        if added.removeValue(forKey: socket) == nil { Glibc.close(descriptor) }
    }

    private func ownSocket(_ number: Int) -> AttachedSocket? {
        let index = number - Shard.mostSockets
        return plainBindings.indices.contains(index) ? plainBindings[index] : nil
    }

    /// The descriptor of a socket; -1, which the kernel refuses, for one that was detached.
    private func descriptor(_ socket: Int) -> Int32 {
        sockets.indices.contains(socket) ? sockets[socket] : ownSocket(socket)?.descriptor ?? -1
    }

    /// Waits for a datagram or a wake-up, at most `timeout`; returns the shard's sockets that have something, as bits,
    /// and leaves those of transports in `readyOwnSockets`.
    func wait(timeout: MediaDuration?) -> UInt64 {
        if !readyOwnSockets.isEmpty { readyOwnSockets.removeAll(keepingCapacity: true) }
        tcp.forgetReady()
        let count = unsafe cln_wait(
            epoll, events, Int32(Self.eventCapacity), timeout.map { max($0.nanoseconds, 0) } ?? -1)
        var ready: UInt64 = 0
        for index in 0..<max(Int(count), 0) {
            let token = unsafe events[index].data.u64
            if token == Self.wakeToken {
                var value: UInt64 = 0
                _ = unsafe read(wakeDescriptor, &value, 8)
            } else if token < UInt64(Shard.mostSockets) {
                ready |= 1 << token
            } else if token >= UInt64(TCPConnections.firstNumber) {
                unsafe tcp.note(token: token, events: events[index].events)
            } else {
                readyOwnSockets.append(Int(truncatingIfNeeded: token))
            }
        }
        return ready
    }

    /// The sockets that have something now.
    func poll() -> UInt64 { wait(timeout: .zero) }

    func write(_ bytes: UnsafeRawBufferPointer, to connection: Int) -> Int? { unsafe tcp.write(bytes, to: connection) }

    func closeConnection(_ connection: Int) { tcp.close(connection) }

    func releaseConnection(_ connection: Int) -> Int32? { tcp.release(connection) }

    func keepConnection(_ descriptor: Int32, as connection: Int) -> Bool {
        guard descriptor >= 0 else { return false }
        if tcp.keep(descriptor, as: connection) { return true }
        tcp.refuse(descriptor)
        return false
    }

    /// Receives one batch from a socket; returns how many datagrams lie ready for `datagram(_:)`.
    func receive(from socket: Int) -> Int {
        let count = unsafe cln_receive(batch, descriptor(socket))
        return max(Int(count), 0)
    }

    /// A datagram of the last batch and its source; `nil` bytes when it was longer than any we accept.
    func datagram(_ index: Int) -> (bytes: UnsafeMutableRawBufferPointer?, source: IPAddressPort?) {
        let length = unsafe cln_received_length(batch, Int32(index))
        let source = unsafe IPAddressPort(cln_received_source(batch, Int32(index)).pointee)
        guard length >= 0 else { return (nil, source) }
        return unsafe (
            UnsafeMutableRawBufferPointer(start: cln_received_bytes(batch, Int32(index)), count: Int(length)), source
        )
    }

    func send(_ outgoing: UnsafePointer<OutgoingMessage>, count: Int, from socket: Int) -> Int {
        let descriptor = descriptor(socket)
        var refused = 0
        var first = 0
        while first < count {
            let batch = min(count - first, Self.batchCapacity)
            var piece = 0
            for index in 0..<batch { unsafe translate(outgoing[first + index], at: index, &piece) }
            refused += sendBatch(batch, from: descriptor)
            first += batch
        }
        return refused
    }

    /// Writes a message into the kernel's arrays.
    private func translate(_ message: OutgoingMessage, at index: Int, _ piece: inout Int) {
        unsafe assert(message.datagrams.count <= Self.segmentCapacity)
        unsafe destinations[index] = cln_address(message.destination)
        unsafe messages[index] = cln_message(
            destination: destinations + index, pieces: pieces + piece,
            segments: UInt32(truncatingIfNeeded: message.datagrams.count),
            segment_size: UInt16(truncatingIfNeeded: message.segmentSize))
        for index in unsafe message.datagrams.indices {
            let datagram = unsafe message.datagrams[index]
            // The kernel only reads what it sends.
            unsafe pieces[piece] = iovec(
                iov_base: UnsafeMutableRawPointer(mutating: datagram.baseAddress), iov_len: datagram.count)
            piece += 1
        }
    }

    /// - Returns: how many datagrams were refused.
    private func sendBatch(_ count: Int, from descriptor: Int32) -> Int {
        var first = 0
        var refused = 0
        while first < count {
            let result = unsafe cln_send(descriptor, messages + first, UInt32(count - first))
            if result > 0 {
                first += Int(result)
                continue
            }
            // The kernel names the first message's error.
            if unsafe messages[first].segments > 1, Self.concernsSegments(errno: -result) {
                unsafe refused += sendSeparately(messages[first], from: descriptor)
            } else {
                unsafe refused += Int(messages[first].segments)
            }
            first += 1
        }
        return refused
    }

    /// Whether datagrams may be sent one by one that were refused as segments of one message: the device cannot cut them
    /// (EIO, EINVAL, EOPNOTSUPP), or each is larger than the path's MTU (EMSGSIZE).
    private static func concernsSegments(errno code: Int32) -> Bool {
        code == EMSGSIZE || code == EIO || code == EINVAL || code == EOPNOTSUPP
    }

    private func sendSeparately(_ message: cln_message, from descriptor: Int32) -> Int {
        var refused = 0
        for index in unsafe 0..<Int(message.segments) {
            var single = unsafe message
            unsafe single.pieces = message.pieces + index
            unsafe single.segments = 1
            if unsafe cln_send(descriptor, &single, 1) != 1 { refused += 1 }
        }
        return refused
    }

    @discardableResult
    private static func watch(_ descriptor: Int32, token: UInt64, in epoll: Int32) -> Bool {
        var event = unsafe epoll_event()
        unsafe event.events = EPOLLIN.rawValue
        unsafe event.data.u64 = token
        return unsafe epoll_ctl(epoll, EPOLL_CTL_ADD, descriptor, &event) == 0
    }

    /// A port that the kernel chooses for UDP may be somebody's for TCP: then it is asked for others.
    private static let attempts = 64

    /// Why an address cannot be had alone; `nil` if it can.
    private static func occupied(_ address: IPAddressPort) -> Int32? {
        var wanted = cln_address(address)
        var actual = cln_address()
        let descriptor = unsafe cln_udp_open(&wanted, 0, false, &actual)
        guard descriptor >= 0 else { return -descriptor }
        Glibc.close(descriptor)
        return nil
    }

    private static func open(
        _ address: IPAddressPort, _ ports: MediaTCPPorts, shard: Int, isShared: Bool, bufferBytes: Int
    ) throws(MediaError) -> (descriptor: Int32, bound: IPAddressPort, listener: TCPListener?, failure: String?) {
        // Bound as shared, it would share with a second server of the same user, too.
        if isShared, shard == 0, let code = occupied(address) {
            throw MediaError(.system, explain(errno: code, address: address))
        }
        for attempt in 1...attempts {
            var wanted = cln_address(address)
            var actual = cln_address()
            let descriptor = unsafe cln_udp_open(&wanted, Int32(clamping: bufferBytes), isShared, &actual)
            guard descriptor >= 0 else {
                throw MediaError(.system, explain(errno: -descriptor, address: address))
            }
            let bound = IPAddressPort(actual) ?? address
            guard let number = ports.port(udp: bound.port, offset: isShared ? 0 : shard) else {
                return (descriptor, bound, nil, nil)
            }
            guard let port = UInt16(exactly: number) else {
                Glibc.close(descriptor)
                throw MediaError(
                    .invalidSetting, "--media-tcp-port leaves no port for shard \(shard): choose a lower one")
            }
            switch TCPListener.open(at: address.withPort(port), isShared: isShared) {
            case .success(let listener): return (descriptor, bound, listener, nil)
            case .failure(let failure):
                let reason = explain(errno: failure.code, tcp: address.withPort(port))
                let isSame = ports == .sameAsUDP
                guard isSame, address.port == 0, failure.code == EADDRINUSE, attempt < attempts else {
                    if isSame { return (descriptor, bound, nil, reason) }
                    Glibc.close(descriptor)
                    throw MediaError(.system, reason)
                }
                Glibc.close(descriptor)
            }
        }
        throw MediaError(.system, "no port is free for both UDP and TCP at \(address.addressText)")
    }

    private static func explain(errno code: Int32, tcp address: IPAddressPort) -> String {
        let hint = "or choose another --media-tcp-port; none: media goes over UDP only"
        switch code {
        case EADDRINUSE: return "TCP \(address) for media is already in use: stop the other program, \(hint)"
        case EACCES: return "not allowed to listen on TCP \(address) for media: take a port above 1023, \(hint)"
        default: return unsafe "cannot listen on TCP \(address) for media: \(String(cString: strerror(code))); \(hint)"
        }
    }

    private static func explain(errno code: Int32, address: IPAddressPort?) -> String {
        let place = address.map { " for UDP \($0)" } ?? ""
        switch code {
        case EADDRINUSE:
            return "the media port is already in use\(place): stop the other program or choose another --media-port"
        case EADDRNOTAVAIL:
            return "this machine does not have the address\(place): check --media-listen"
        case EACCES:
            return "not allowed to bind\(place): choose a --media-port above 1023"
        case EMFILE, ENFILE:
            return "no file descriptor left\(place): raise the limit (ulimit -n)"
        default:
            return unsafe "cannot open a socket\(place): \(String(cString: strerror(code)))"
        }
    }
}
