import CLinuxNet
import Glibc

/// A shard's listeners and its clients' connections, in its epoll instance.
///
/// A listener has the number of the UDP socket beside it; a connection the one that the shard gave it.
// Safe: descriptors of connections are closed once, in `close`; `buffer` is allocated in `init` and freed in `deinit`. All of
// it belongs to the shard's thread, but for `init` and `closeAll`, which run before it starts and after it ended.
@safe final class TCPSockets {
    /// What became of looking for a new connection.
    enum Accepted {
        case client(descriptor: Int32, remote: IPAddressPort?, local: IPAddressPort)
        /// No descriptor is left: the client was sent away.
        case refused
        case nobody
    }

    /// What a connection gave.
    enum Received {
        /// So many bytes, for `received(_:)`.
        case bytes(Int)
        case nothing
        /// Its client has closed it, or the network did.
        case ended
    }

    /// What may be done with a connection without waiting.
    struct Ready {
        var number: Int
        var isReadable: Bool
        var isWritable: Bool
    }

    /// Tokens of listeners begin here.
    private static let firstListener = 1 << 16
    private static let bufferBytes = 65_536

    private let epoll: Int32
    private var listeners: [Int: TCPListener] = [:]
    /// By number; −1 where there is none.
    private var connections: [Int32] = []
    /// Kept so that, when no descriptor is left, there is one to send clients away with.
    private var reserve: Int32
    private let buffer: UnsafeMutableRawBufferPointer
    /// What the last wait found.
    private(set) var readyListeners: [Int] = []
    private(set) var ready: [Ready] = []

    init(epoll: Int32) {
        self.epoll = epoll
        reserve = Self.openReserve()
        unsafe buffer = .allocate(byteCount: Self.bufferBytes, alignment: 64)
    }

    deinit { unsafe buffer.deallocate() }

    private static func openReserve() -> Int32 { unsafe Glibc.open("/dev/null", O_RDONLY | O_CLOEXEC) }

    // MARK: Waiting

    var hasReady: Bool { !ready.isEmpty || !readyListeners.isEmpty }

    func forgetReady() {
        if !ready.isEmpty { ready.removeAll(keepingCapacity: true) }
        if !readyListeners.isEmpty { readyListeners.removeAll(keepingCapacity: true) }
    }

    /// Something happened to a listener or a connection.
    func note(token: UInt64, events: UInt32) {
        let number = Int(truncatingIfNeeded: token)
        if number >= Self.firstListener { return readyListeners.append(number - Self.firstListener) }
        let isBroken = events & (EPOLLERR.rawValue | EPOLLHUP.rawValue) != 0
        ready.append(
            Ready(
                number: number, isReadable: isBroken || events & EPOLLIN.rawValue != 0,
                isWritable: events & EPOLLOUT.rawValue != 0))
    }

    private func control(_ operation: Int32, _ descriptor: Int32, _ events: UInt32, token: Int) -> Bool {
        var event = unsafe epoll_event()
        unsafe event.events = events
        unsafe event.data.u64 = UInt64(token)
        return unsafe epoll_ctl(epoll, operation, descriptor, &event) == 0
    }

    // MARK: Listening

    /// - Parameter number: of the UDP socket beside it.
    func listen(_ listener: TCPListener, as number: Int) -> Bool {
        guard
            control(EPOLL_CTL_ADD, listener.descriptor, EPOLLIN.rawValue, token: Self.firstListener + number)
        else { return false }
        listeners[number] = listener
        return true
    }

    func stopListening(_ number: Int) { listeners[number] = nil }

    func accept(on number: Int) -> Accepted {
        guard let listener = listeners[number] else { return .nobody }
        var remote = cln_address()
        let descriptor = unsafe cln_tcp_accept(listener.descriptor, &remote)
        if descriptor >= 0 {
            return .client(descriptor: descriptor, remote: IPAddressPort(remote), local: listener.address)
        }
        guard -descriptor == EMFILE || -descriptor == ENFILE else { return .nobody }
        // Left waiting, it would wake the thread again and again.
        if reserve >= 0 { Glibc.close(reserve) }
        let unwanted = unsafe cln_tcp_accept(listener.descriptor, &remote)
        if unwanted >= 0 { cln_tcp_reset(unwanted) }
        reserve = Self.openReserve()
        return unwanted >= 0 ? .refused : .nobody
    }

    /// Sends away a client that was accepted.
    func refuse(_ descriptor: Int32) { cln_tcp_reset(descriptor) }

    /// Begins to receive on a connection.
    /// - Returns: whether the system watches it.
    func keep(_ descriptor: Int32, as number: Int) -> Bool {
        guard control(EPOLL_CTL_ADD, descriptor, EPOLLIN.rawValue, token: number) else { return false }
        let index = number - TCPConnections.firstNumber
        while connections.count <= index { connections.append(-1) }
        connections[index] = descriptor
        return true
    }

    // MARK: Connections

    private func descriptor(_ number: Int) -> Int32 {
        let index = number - TCPConnections.firstNumber
        return connections.indices.contains(index) ? connections[index] : -1
    }

    func receive(from number: Int) -> Received {
        let descriptor = descriptor(number)
        guard descriptor >= 0 else { return .nothing }
        let count = unsafe recv(descriptor, buffer.baseAddress, buffer.count, Int32(MSG_DONTWAIT))
        if count > 0 { return .bytes(count) }
        if count == 0 { return .ended }
        return errno == EAGAIN || errno == EINTR ? .nothing : .ended
    }

    /// What `receive` found, to be used before its next call.
    func received(_ count: Int) -> UnsafeMutableRawBufferPointer {
        unsafe UnsafeMutableRawBufferPointer(rebasing: buffer[..<count])
    }

    /// - Returns: how much was taken; `nil` if the connection is broken.
    func write(_ bytes: UnsafeRawBufferPointer, to number: Int) -> Int? {
        let descriptor = descriptor(number)
        guard descriptor >= 0 else { return nil }
        let flags = Int32(MSG_DONTWAIT) | Int32(MSG_NOSIGNAL)
        let count = unsafe Glibc.send(descriptor, bytes.baseAddress, bytes.count, flags)
        if count < 0, errno != EAGAIN, errno != EINTR { return nil }
        let taken = max(count, 0)
        if taken < bytes.count {
            _ = control(EPOLL_CTL_MOD, descriptor, EPOLLIN.rawValue | EPOLLOUT.rawValue, token: number)
        }
        return taken
    }

    /// A connection takes more again, and says so no more.
    func stopWaitingForRoom(_ number: Int) {
        let descriptor = descriptor(number)
        if descriptor >= 0 { _ = control(EPOLL_CTL_MOD, descriptor, EPOLLIN.rawValue, token: number) }
    }

    /// Ends receiving on a connection without closing it.
    func release(_ number: Int) -> Int32? {
        let descriptor = descriptor(number)
        guard descriptor >= 0 else { return nil }
        connections[number - TCPConnections.firstNumber] = -1
        epoll_ctl(epoll, EPOLL_CTL_DEL, descriptor, nil)
        return descriptor
    }

    func close(_ number: Int) {
        let descriptor = descriptor(number)
        guard descriptor >= 0 else { return }
        connections[number - TCPConnections.firstNumber] = -1
        Glibc.close(descriptor)
    }

    func closeAll() {
        for descriptor in connections where descriptor >= 0 { Glibc.close(descriptor) }
        connections = []
        listeners = [:]
        if reserve >= 0 { Glibc.close(reserve) }
        reserve = -1
    }
}
