/// How a receiver has to turn a producer's picture (3GPP TS 26.114 §7.4.5), as mediasoup's `videoorientationchange` says it.
public struct VideoOrientation: Sendable, Hashable {
    /// The camera faces away from the person.
    public var camera: Bool
    /// The picture is mirrored.
    public var flip: Bool
    /// Degrees: 0, 90, 180 or 270.
    public var rotation: Int

    /// An orientation.
    public init(camera: Bool, flip: Bool, rotation: Int) {
        self.camera = camera
        self.flip = flip
        self.rotation = rotation
    }

    /// From the element's byte: C, F, then two bits of rotation.
    init(encoded: UInt8) {
        self.init(camera: encoded & 8 != 0, flip: encoded & 4 != 0, rotation: Int(encoded & 3) * 90)
    }
}
