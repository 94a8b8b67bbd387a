// Reads the media plane's internals, which a release build shows only with -enable-testing -DTESTING.
#if DEBUG || TESTING
    @testable import RoundhouseMedia

    /// A datagram between two addresses.
    struct VirtualDatagram {
        var bytes: [UInt8]
        var from: IPAddressPort
        var to: IPAddressPort
    }

    /// What happens to datagrams on their way; the default loses, delays and changes nothing.
    struct LinkConditions {
        /// Probabilities from 0 to 1.
        var loss = 0.0
        var duplicate = 0.0
        /// The share of datagrams held back by `reorderDelay`, so that later ones overtake them.
        var reorder = 0.0
        var reorderDelay = MediaDuration.milliseconds(20)
        var delay = MediaDuration.milliseconds(1)
        /// Added to the delay, evenly drawn; order is kept.
        var jitter = MediaDuration.zero
        /// Bits per second; `nil`: unlimited. What waits longer than `queue` is lost.
        var rate: Int?
        var queue = MediaDuration.milliseconds(200)

        init() {}

        static func lossy(_ loss: Double) -> LinkConditions {
            var conditions = LinkConditions()
            conditions.loss = loss
            return conditions
        }

        static func delayed(_ delay: MediaDuration) -> LinkConditions {
            var conditions = LinkConditions()
            conditions.delay = delay
            return conditions
        }
    }

    /// Carries datagrams between addresses in virtual time; what is lost or late follows from one seed.
    final class VirtualNetwork {
        private struct Event {
            var time: UInt64
            var order: UInt64
            var datagram: VirtualDatagram
        }

        private struct Link {
            var lastArrival: UInt64 = 0
            var busyUntil: UInt64 = 0
        }

        private struct Pair: Hashable {
            var from: IPAddressPort
            var to: IPAddressPort
        }

        /// For every pair without conditions of its own.
        var conditions = LinkConditions()
        /// Looks at, changes or (with `nil`) loses each datagram as it is sent.
        var filter: ((VirtualDatagram) -> VirtualDatagram?)?
        private(set) var sent = 0
        private(set) var lost = 0

        private var random: SplitMix
        private var heap: [Event] = []
        private var order: UInt64 = 0
        private var links: [Pair: Link] = [:]
        private var senders: [IPAddressPort: LinkConditions] = [:]
        private var receivers: [IPAddressPort: LinkConditions] = [:]

        init(seed: UInt64) { random = SplitMix(seed: seed) }

        /// Conditions of everything an address sends.
        func setConditions(_ conditions: LinkConditions, from address: IPAddressPort) { senders[address] = conditions }

        /// Conditions of everything that is sent to an address; those of the sender, if it has some, come first.
        func setConditions(_ conditions: LinkConditions, to address: IPAddressPort) { receivers[address] = conditions }

        /// Forgets what is under way, and every link's past.
        func clear() {
            heap.removeAll()
            links = [:]
        }

        func send(_ datagram: VirtualDatagram, at now: MediaInstant) {
            guard let datagram = filter.map({ $0(datagram) }) ?? datagram else { return }
            let conditions = senders[datagram.from] ?? receivers[datagram.to] ?? conditions
            sent += 1
            if chance(conditions.loss) {
                lost += 1
                return
            }
            let pair = Pair(from: datagram.from, to: datagram.to)
            var link = links[pair] ?? Link()
            var time = now.nanoseconds
            if let rate = conditions.rate {
                let start = max(time, link.busyUntil)
                if start - time > UInt64(conditions.queue.nanoseconds) {
                    lost += 1
                    return
                }
                link.busyUntil = start + UInt64(datagram.bytes.count + 28) * 8 * 1_000_000_000 / UInt64(rate)
                time = link.busyUntil
            }
            time += UInt64(conditions.delay.nanoseconds)
            if conditions.jitter > .zero {
                time += random.next() % UInt64(conditions.jitter.nanoseconds)
                time = max(time, link.lastArrival)
            }
            if chance(conditions.reorder) {
                time += UInt64(conditions.reorderDelay.nanoseconds)
            } else {
                link.lastArrival = time
            }
            links[pair] = link
            push(datagram, at: time)
            if chance(conditions.duplicate) { push(datagram, at: time) }
        }

        /// When the next datagram arrives.
        var nextArrival: MediaInstant? { heap.first.map { MediaInstant(nanoseconds: $0.time) } }

        /// The next datagram that has arrived by `now`.
        func receive(at now: MediaInstant) -> VirtualDatagram? {
            guard let first = heap.first, first.time <= now.nanoseconds else { return nil }
            let last = heap.removeLast()
            if !heap.isEmpty {
                heap[0] = last
                siftDown()
            }
            return first.datagram
        }

        private func chance(_ probability: Double) -> Bool {
            probability > 0 && Double(random.next() >> 11) / Double(1 << 53) < probability
        }

        private func push(_ datagram: VirtualDatagram, at time: UInt64) {
            heap.append(Event(time: time, order: order, datagram: datagram))
            order += 1
            var child = heap.count - 1
            while child > 0, isEarlier(child, (child - 1) / 2) {
                heap.swapAt(child, (child - 1) / 2)
                child = (child - 1) / 2
            }
        }

        private func siftDown() {
            var parent = 0
            while true {
                var least = parent
                for child in [2 * parent + 1, 2 * parent + 2] where child < heap.count && isEarlier(child, least) {
                    least = child
                }
                if least == parent { return }
                heap.swapAt(parent, least)
                parent = least
            }
        }

        private func isEarlier(_ a: Int, _ b: Int) -> Bool {
            heap[a].time != heap[b].time ? heap[a].time < heap[b].time : heap[a].order < heap[b].order
        }
    }
#endif
