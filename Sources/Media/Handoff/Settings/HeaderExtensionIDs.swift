/// Header extension identifiers as one endpoint negotiated them; zero means "not negotiated".
public struct HeaderExtensionIDs: Sendable, Hashable {
    /// At the index of each extension's router identifier.
    private var identifiers = SIMD16<UInt8>(repeating: 0)

    /// Nothing negotiated.
    public init() {}

    /// The identifier of an extension.
    public subscript(_ extension: HeaderExtension) -> UInt8 {
        get { identifiers[Int(`extension`.rawValue)] }
        set { identifiers[Int(`extension`.rawValue)] = newValue }
    }

    /// What an element's identifier means; `nil` if that was not negotiated.
    @inline(__always)
    func meaning(of identifier: UInt8) -> HeaderExtension? {
        // Zero, which is not negotiated, is never an element's identifier.
        for index in 1..<16 where identifiers[index] == identifier {
            return HeaderExtension(rawValue: UInt8(truncatingIfNeeded: index))
        }
        return nil
    }

    /// Takes over what `other` negotiated; if both did, the identifier is that of `other`.
    mutating func merge(_ other: HeaderExtensionIDs) {
        identifiers.replace(with: other.identifiers, where: other.identifiers .!= 0)
    }
}
