import CLinuxNet
import Synchronization

// Safe: a descriptor is opened here and belongs to the `AttachedSocket` it is given to.

/// Knows what clients get to reach the shards, and follows the machine's addresses where a wildcard is listened on: opens
/// a socket on each shard for each that comes.
///
/// It looks once in a while instead of listening to rtnetlink: a look costs less than a tenth of a millisecond, and what is
/// missed between two looks is gone again.
final class AddressFollower: Sendable {
    private struct State {
        var watch: AddressWatch
        /// By address without a port: each shard's port there, and that of TCP, if there is one.
        var ports: [IPAddressPort: [UInt16]]
        var tcpPorts: [IPAddressPort: [UInt16?]]
        /// What stands for the machine's own.
        var announced: [AnnouncedAddress]
    }

    private let families: [IPAddressPort.Family]
    private let state: Mutex<State>
    private let configuration: MediaConfiguration
    private let shards: Int
    private let table: EndpointTable
    private let send: @Sendable (_ shard: Int, MediaCommand) -> Bool
    private let report: @Sendable (AddressChange) -> Void

    /// - Parameters:
    ///   - bound: each shard's bound addresses.
    ///   - listening: those of TCP, likewise.
    ///   - send: gives a shard a command; `false` if it takes none now.
    ///   - report: called after each change.
    init(
        _ configuration: MediaConfiguration, bound: [[IPAddressPort]], listening: [[IPAddressPort?]],
        table: EndpointTable,
        send: @escaping @Sendable (_ shard: Int, MediaCommand) -> Bool,
        report: @escaping @Sendable (AddressChange) -> Void
    ) {
        let listened = configuration.listenAddresses.compactMap { IPAddressPort(text: $0, port: 0) }
        families = listened.filter(\.isUnspecified).map(\.family)
        let addresses = (bound.first ?? []).map { $0.withPort(0) }
        var ports: [IPAddressPort: [UInt16]] = [:]
        for (index, address) in addresses.enumerated() { ports[address] = bound.map { $0[index].port } }
        var tcpPorts: [IPAddressPort: [UInt16?]] = [:]
        for (index, address) in addresses.enumerated() { tcpPorts[address] = listening.map { $0[index]?.port } }
        state = Mutex(
            State(
                watch: AddressWatch(bound: addresses), ports: ports, tcpPorts: tcpPorts,
                announced: configuration.announcedAddresses))
        self.configuration = configuration
        shards = bound.count
        self.table = table
        self.send = send
        self.report = report
    }

    /// Whether there is anything to follow.
    var isNeeded: Bool { !families.isEmpty }

    /// Compares the machine's addresses with those that are listened on.
    func look(at now: MediaInstant) {
        let present = families.flatMap { NetworkInterfaces.addresses(family: $0, port: 0) }
        let change: AddressChange? = state.withLock { state in
            let change = state.watch.looked(present, at: now) { families.contains($0.family) }
            for address in change.close { close(address, &state) }
            // One that cannot be bound yet (IPv6 makes sure first that it is nobody else's) is tried again at the next look.
            let opened = change.open.filter { open($0, &state) }
            guard change.isAnnouncedChanged || !opened.isEmpty else { return nil }
            replaceTable(state)
            let announced = state.watch.announced
            return AddressChange(
                opened: opened.map(\.addressText), announced: announced.map(\.addressText),
                isReachable: announced.contains { !$0.isLoopback })
        }
        if let change { report(change) }
    }

    /// Other addresses stand for the machine's own from now on.
    func announce(_ addresses: [AnnouncedAddress]) {
        state.withLock { state in
            state.announced = addresses
            replaceTable(state)
        }
    }

    private func replaceTable(_ state: State) {
        let present = state.watch.announced
        table.replace(
            by: (0..<shards).map { shard in
                ShardEndpoint(
                    bound: present.map { $0.withPort(state.ports[$0]?[shard] ?? 0) },
                    listening: present.compactMap { address in
                        state.tcpPorts[address]?[shard].map { address.withPort($0) }
                    },
                    announced: state.announced)
            })
    }

    private func open(_ address: IPAddressPort, _ state: inout State) -> Bool {
        var sockets: [AttachedSocket] = []
        for shard in 0..<shards {
            // Where the kernel was to choose, the first shard's choice stands for all that share a port.
            let chosen = configuration.sharesPort ? sockets.first?.address.port ?? 0 : 0
            let port =
                configuration.port == 0
                ? chosen : UInt16(clamping: Int(configuration.port) + configuration.portOffset(of: shard))
            var wanted = cln_address(address.withPort(port))
            var actual = cln_address()
            let descriptor = unsafe cln_udp_open(
                &wanted, Int32(clamping: configuration.bufferBytes), configuration.sharesPort, &actual)
            guard descriptor >= 0 else { return false }
            let bound = IPAddressPort(actual) ?? address.withPort(port)
            // Without TCP the address is worth having, too.
            let tcpPort = configuration.tcpPorts.port(udp: bound.port, offset: configuration.portOffset(of: shard))
            let listener = tcpPort.flatMap(UInt16.init(exactly:)).flatMap {
                try? TCPListener.open(at: address.withPort($0), isShared: configuration.sharesPort).get()
            }
            sockets.append(AttachedSocket(descriptor: descriptor, address: bound, listener: listener))
        }
        for (shard, socket) in sockets.enumerated() where !send(shard, .listen(socket)) {
            for earlier in 0..<shard { _ = send(earlier, .stopListening(sockets[earlier].address)) }
            return false
        }
        state.ports[address] = sockets.map(\.address.port)
        state.tcpPorts[address] = sockets.map { $0.listener?.address.port }
        state.watch.opened(address)
        return true
    }

    private func close(_ address: IPAddressPort, _ state: inout State) {
        state.tcpPorts[address] = nil
        for (shard, port) in (state.ports.removeValue(forKey: address) ?? []).enumerated() {
            _ = send(shard, .stopListening(address.withPort(port)))
        }
    }
}
