import RoundhouseMedia

/// A change of a consumer that was not yet sent to the media plane.
enum ConsumerUpdate: Hashable {
    case paused(ConsumerKey, Bool)
    case producerPaused(ConsumerKey, Bool)
    case preferredLayers(ConsumerKey, ConsumerLayers)
    case priority(ConsumerKey, UInt8)
}
