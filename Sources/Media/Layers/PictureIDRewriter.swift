// Safe: `write` compares both offsets with the payload's length before it stores.

/// Keeps the picture ids and TL0PICIDX of one consumer's stream continuous while temporal layers are left out and sources
/// are switched (RFC 7741 §4.2): a receiver takes a gap in them for a loss.
///
/// A picture always gets the same id, however late its packets come or how often they are sent again, as long as it is
/// among the 128 newest of its source.
struct PictureIDRewriter {
    static let window: Int64 = 128

    /// Extended ids; the source's first is `first`.
    private var first: Int64 = 0
    private var newest: Int64 = 0
    /// What `newest` became, or the picture before it if `newest` was left out.
    private var newestOutput: Int64 = 0
    /// Bit n: the picture n before the newest was left out.
    private var omitted: UInt128 = 0
    private var tl0Offset: UInt8 = 0
    private var newestTL0Output: UInt8 = 0
    private(set) var isSynchronized = false

    init() {}

    /// What a picture is called for the consumer.
    struct Rewritten: Hashable, Sendable {
        var pictureID: UInt16
        var tl0PictureIndex: UInt8
    }

    /// A (new) source begins with this packet: continue behind the newest output; the first source passes unchanged.
    mutating func synchronize(_ layers: PacketLayers) {
        first = Int64(layers.pictureID)
        if isSynchronized {
            tl0Offset = newestTL0Output &+ 1 &- layers.tl0PictureIndex
        } else {
            newestOutput = first - 1
            tl0Offset = 0
        }
        newest = first - 1
        omitted = 0
        isSynchronized = true
    }

    /// The packet's picture is left out. One that is not the newest keeps its id: later ones were named with it in mind.
    mutating func drop(_ layers: PacketLayers) {
        guard isSynchronized, layers.flags.contains(.hasPictureID) else { return }
        guard extend(layers) > newest else { return }
        advance(to: extend(layers))
        omitted |= 1
        newestOutput -= 1
    }

    /// What the packet's picture is called; `nil` for one that was left out, that precedes the source's first, or that left
    /// the window.
    mutating func rewrite(_ layers: PacketLayers) -> Rewritten? {
        guard isSynchronized else { return nil }
        guard layers.flags.contains(.hasPictureID) else {
            return Rewritten(pictureID: 0, tl0PictureIndex: layers.tl0PictureIndex &+ tl0Offset)
        }
        let picture = extend(layers)
        guard picture >= first else { return nil }
        if picture > newest {
            advance(to: picture)
            newestTL0Output = layers.tl0PictureIndex &+ tl0Offset
        }
        let back = newest - picture
        guard back < Self.window, omitted >> UInt128(back) & 1 == 0 else { return nil }
        let later = omitted & ((1 << UInt128(back)) - 1)
        let output = newestOutput - back + Int64(later.nonzeroBitCount)
        let mask: Int64 = layers.flags.contains(.hasLongPictureID) ? 0x7FFF : 0x7F
        return Rewritten(
            pictureID: UInt16(truncatingIfNeeded: output & mask),
            tl0PictureIndex: layers.tl0PictureIndex &+ tl0Offset)
    }

    /// Whether the packet's picture is known to have been left out.
    func isOmitted(_ layers: PacketLayers) -> Bool {
        guard isSynchronized, layers.flags.contains(.hasPictureID) else { return false }
        let back = newest - extend(layers)
        return (0..<Self.window).contains(back) && omitted >> UInt128(back) & 1 != 0
    }

    /// Puts the new names into a copy of the payload that `layers` was read from.
    static func write(_ rewritten: Rewritten, _ layers: PacketLayers, into payload: UnsafeMutableRawBufferPointer) {
        if layers.flags.contains(.hasPictureID) {
            let offset = Int(layers.pictureIDOffset)
            if layers.flags.contains(.hasLongPictureID) {
                guard offset + 2 <= payload.count else { return }
                let value = rewritten.pictureID | 0x8000
                unsafe payload.storeBytes(of: value.bigEndian, toByteOffset: offset, as: UInt16.self)
            } else {
                guard offset < payload.count else { return }
                unsafe payload[offset] = UInt8(truncatingIfNeeded: rewritten.pictureID & 0x7F)
            }
        }
        guard layers.flags.contains(.hasTL0PictureIndex), Int(layers.tl0PictureIndexOffset) < payload.count else {
            return
        }
        unsafe payload[Int(layers.tl0PictureIndexOffset)] = rewritten.tl0PictureIndex
    }

    /// The id nearest to the newest one, on the circle of 7 or 15 bits.
    private func extend(_ layers: PacketLayers) -> Int64 {
        let bits: Int64 = layers.flags.contains(.hasLongPictureID) ? 15 : 7
        let mask: Int64 = (1 << bits) - 1
        var distance = (Int64(layers.pictureID) - newest) & mask
        if distance > mask / 2 { distance -= mask + 1 }
        return newest + distance
    }

    private mutating func advance(to picture: Int64) {
        let step = picture - newest
        omitted = step < Self.window ? omitted << UInt128(step) : 0
        newestOutput += step
        newest = picture
    }
}

// MARK: Snapshot

extension PictureIDRewriter: Restorable {
    init(restoring reader: inout SnapshotReader) throws(WireError) {
        isSynchronized = try reader.read()
        guard isSynchronized else { return }
        // Extended from fifteen bits, or counted on from there.
        let ids = -Int64(SnapshotReader.largestCounter)...Int64(SnapshotReader.largestCounter)
        first = try reader.read(in: ids)
        newest = try reader.read(in: ids)
        newestOutput = try reader.read(in: ids)
        omitted = UInt128(try reader.readUInt64()) | UInt128(try reader.readUInt64()) << 64
        tl0Offset = try reader.read()
        newestTL0Output = try reader.read()
    }

    func write(to writer: inout SnapshotWriter) {
        writer.write(isSynchronized)
        guard isSynchronized else { return }
        writer.write(first)
        writer.write(newest)
        writer.write(newestOutput)
        writer.writeUInt64(UInt64(truncatingIfNeeded: omitted))
        writer.writeUInt64(UInt64(truncatingIfNeeded: omitted >> 64))
        writer.write(tl0Offset)
        writer.write(newestTL0Output)
    }
}
