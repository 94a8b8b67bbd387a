/// Why a consumer gets the layers that it gets, and no more. A closed list: each has a plain sentence in `/why`.
public enum LayerReason: UInt8, Sendable, CaseIterable {
    /// It gets all that it wants and its source has.
    case wanted = 1
    /// The next step costs more than is left.
    case budget = 2
    /// It was lowered a moment ago: a step up waits until the network has proved steady.
    case hold = 3
    /// Another consumer has just been raised: key frames come one after the other.
    case turn = 4
    /// Nothing of it fits.
    case pausedForBudget = 5
    /// Its source sends nothing that could be chosen.
    case sourceSilent = 6
}
