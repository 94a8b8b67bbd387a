/// Why there is no configuration, in one line.
struct SettingsError: Error {
    let message: String
    /// Whether the command line is at fault, rather than a file or the environment.
    var isUsage = false
    /// What was given wrongly, if it is one setting's value: all others can be judged without it.
    var setting: Setting?

    init(message: String, isUsage: Bool = false, setting: Setting? = nil) {
        self.message = message
        self.isUsage = isUsage
        self.setting = setting
    }

    /// All that is wrong, so that nobody starts a server once for each.
    init?(_ faults: [SettingsError]) {
        guard !faults.isEmpty else { return nil }
        self.init(
            message: faults.map(\.message).joined(separator: "; "), isUsage: faults.contains(where: \.isUsage),
            setting: faults.count == 1 ? faults[0].setting : nil)
    }
}
