import FoundationEssentials
import RoundhouseMedia

/// The places that settings come from: options, the environment, the file, each before the next.
struct SettingSources {
    private let options: [Setting: [Secret]]
    private let environment: [String: String]
    private let file: (path: String, entries: [ConfigurationFile.Entry])?
    /// Variables that may be mistyped settings, each with what it is like.
    let likelyTypos: [(name: String, meant: String)]
    /// What the file has that is no setting.
    let faults: [SettingsError]
    /// Settings that were given wrongly, and are as if they had not been.
    private(set) var leftOut: Set<Setting> = []

    /// - Throws: if the file cannot be read, or is not in the form of settings.
    static func read(_ options: SettingsOptions, environment: [String: String]) throws(SettingsError) -> Self {
        let pathVariable = Setting.variablePrefix + "CONFIG"
        var file: (String, [ConfigurationFile.Entry])?
        if let path = options.config ?? environment[pathVariable] { file = (path, try entries(inFile: path)) }
        return SettingSources(
            options: options.given, environment: environment, file: file,
            likelyTypos: likelyTypos(environment, except: [pathVariable]),
            faults: file.map { unknown($0.1, inFile: $0.0) } ?? [])
    }

    /// From here on a setting is as if it had not been given.
    mutating func leaveOut(_ setting: Setting) { leftOut.insert(setting) }

    /// What was given for a setting, at the first place that has it.
    func value(of setting: Setting) throws(SettingsError) -> GivenSetting? {
        guard !leftOut.contains(setting) else { return nil }
        if let texts = options[setting] { return GivenSetting(texts: texts, origin: .option) }
        if let text = environment[setting.variable] {
            return GivenSetting(texts: Self.texts(text, of: setting).map { Secret($0) }, origin: .environment)
        }
        guard let file, let entry = file.entries.first(where: { $0.name == setting.rawValue }) else { return nil }
        let origin = SettingOrigin.file(file.path, line: entry.line)
        if entry.isList {
            guard case .list = setting.kind else {
                throw SettingsError(
                    message: "\(origin.name(of: setting)): a list, where one value is expected", setting: setting)
            }
        }
        return GivenSetting(texts: entry.texts.map { Secret($0) }, origin: origin)
    }

    /// The environment has one text for all of a list. An empty one among them is an error like an empty value.
    private static func texts(_ text: String, of setting: Setting) -> [String] {
        guard case .list = setting.kind else { return [text] }
        return text.split(separator: ",", omittingEmptySubsequences: false).map(String.init)
    }

    private static func entries(inFile path: String) throws(SettingsError) -> [ConfigurationFile.Entry] {
        guard let text = try? String(contentsOfFile: path, encoding: .utf8) else {
            throw SettingsError(
                message: "\(path): the configuration file cannot be read: give --config a readable UTF-8 file")
        }
        do throws(ConfigurationFile.Problem) {
            return try ConfigurationFile(parsing: text).entries
        } catch {
            throw SettingsError(message: "\(path): not YAML with one value a key: \(error.message)")
        }
    }

    private static func unknown(_ entries: [ConfigurationFile.Entry], inFile path: String) -> [SettingsError] {
        let known = Setting.allCases.map(\.rawValue)
        return entries.filter { !known.contains($0.name) }.map { entry in
            let meant =
                NearestName.of(entry.name, among: known).map { ": did you mean \($0)?" } ?? ": see Docs/Operations.md"
            return SettingsError(message: "\(path): line \(entry.line): there is no setting \(entry.name)\(meant)")
        }
    }

    /// Others may have variables that begin alike; only what is nearly a setting is worth a word.
    private static func likelyTypos(
        _ environment: [String: String], except: [String]
    ) -> [(name: String, meant: String)] {
        let known = Setting.allCases.map(\.variable) + except
        return environment.keys.sorted().filter { $0.hasPrefix(Setting.variablePrefix) && !known.contains($0) }
            .compactMap {
                name in
                known.first { NearestName.distance(name, $0) <= 2 }.map { (name, $0) }
            }
    }
}
