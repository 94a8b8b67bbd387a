/// Why a dependency descriptor cannot be read.
enum DependencyDescriptorError: Error, Hashable, Sendable {
    case wire(WireError)
    /// No structure has come yet that explains the template numbers.
    case missingStructure
    /// The structure has no such template: the one it belongs to was lost or replaced.
    case unknownTemplate
}
