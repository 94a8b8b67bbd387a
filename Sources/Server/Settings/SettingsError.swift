/// Why there is no configuration, in one line.
struct SettingsError: Error {
    let message: String
    /// Whether the command line is at fault, rather than a file or the environment.
    var isUsage = false
}
