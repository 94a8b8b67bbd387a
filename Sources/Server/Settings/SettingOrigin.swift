/// Where a value was given.
enum SettingOrigin: Hashable {
    case option, environment
    case file(String, line: Int)
    case defaultValue

    var name: String {
        switch self {
        case .option: "option"
        case .environment: "environment"
        case .file(let path, _): path
        case .defaultValue: "default"
        }
    }

    /// How the setting is written there.
    func name(of setting: Setting) -> String {
        switch self {
        case .option: setting.option
        case .environment: setting.variable
        case .file(let path, let line): "\(path): line \(line): \(setting.rawValue)"
        case .defaultValue: setting.rawValue
        }
    }
}
