/// Decides which of the machine's addresses are listened on, as they come, go and come back: a machine without I/O.
///
/// A wildcard stands for every address of its family. An address that is gone is announced no more; its sockets stay for a
/// while, since many come back (a cable, a lease that is renewed), and bound sockets work again then.
struct AddressWatch {
    /// What is to be done after a look.
    struct Change: Equatable {
        /// To be bound; `opened` or nothing follows.
        var open: [IPAddressPort] = []
        /// To be closed.
        var close: [IPAddressPort] = []
        /// Whether what clients get has changed.
        var isAnnouncedChanged = false
    }

    /// Longer than any client's consent lasts (RFC 7675 §5.1): nobody uses what is closed.
    static let patience = MediaDuration.seconds(60)

    private struct Entry {
        var address: IPAddressPort
        /// Since when the machine does not have it.
        var absentSince: MediaInstant?
    }

    private var entries: [Entry]
    private let capacity: Int

    /// - Parameters:
    ///   - bound: what is listened on; all of it is there.
    ///   - capacity: the most addresses.
    init(bound: [IPAddressPort], capacity: Int = Shard.mostSockets) {
        entries = bound.map { Entry(address: $0, absentSince: nil) }
        self.capacity = capacity
    }

    /// What clients get: the addresses that are listened on and there, other machines' before this one's own.
    var announced: [IPAddressPort] {
        let present = entries.filter { $0.absentSince == nil }.map(\.address)
        return present.filter { !$0.isLoopback } + present.filter(\.isLoopback)
    }

    /// The machine has these addresses now.
    /// - Parameter isFollowed: whether an address comes and goes; others were given by name, and stay.
    mutating func looked(
        _ present: [IPAddressPort], at now: MediaInstant, isFollowed: (IPAddressPort) -> Bool
    ) -> Change {
        var change = Change()
        let before = announced
        for index in entries.indices where isFollowed(entries[index].address) {
            if present.contains(entries[index].address) {
                entries[index].absentSince = nil
            } else if entries[index].absentSince == nil {
                entries[index].absentSince = now
            }
        }
        entries.removeAll { entry in
            guard let since = entry.absentSince, now - since >= Self.patience else { return false }
            change.close.append(entry.address)
            return true
        }
        let known = entries.map(\.address)
        change.open = present.filter { isFollowed($0) && !known.contains($0) }
        change.open = Array(change.open.prefix(capacity - entries.count))
        change.isAnnouncedChanged = announced != before
        return change
    }

    /// An address has sockets now.
    mutating func opened(_ address: IPAddressPort) { entries.append(Entry(address: address, absentSince: nil)) }
}
