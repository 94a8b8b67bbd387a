import Configuration
import FoundationEssentials
import Media
import Synchronization

/// Where a value was given.
enum SettingOrigin: Hashable {
    case option, environment
    case file(String)
    case defaultValue

    var name: String {
        switch self {
        case .option: "option"
        case .environment: "environment"
        case .file(let path): path
        case .defaultValue: "default"
        }
    }

    /// How the setting is written there.
    func name(of setting: Setting) -> String {
        switch self {
        case .option: setting.option
        case .environment: setting.variable
        case .file(let path): "\(path): \(setting.rawValue)"
        case .defaultValue: setting.rawValue
        }
    }
}

/// A value as it was given, not yet validated; any may be one that is nobody's business.
struct GivenSetting {
    var texts: [Secret]
    var origin: SettingOrigin
}

/// Why there is no configuration, in one line.
struct SettingsError: Error {
    let message: String
    /// Whether the command line is at fault, rather than a file or the environment.
    var isUsage = false
}

/// The places that settings come from: options, the environment, the file, each before the next.
struct SettingSources {
    private let providers: [(origin: SettingOrigin, provider: any ConfigProvider)]
    /// Variables that may be mistyped settings, each with what it is like.
    let likelyTypos: [(name: String, meant: String)]

    /// - Throws: if the file cannot be read, is not YAML, or has a key that is no setting.
    static func read(_ options: SettingsOptions, environment: [String: String]) async throws(SettingsError) -> Self {
        var values: [AbsoluteConfigKey: ConfigValue] = [:]
        for (setting, texts) in options.given {
            values[key(setting)] = ConfigValue(.stringArray(texts.map(\.revealed)), isSecret: true)
        }
        var providers: [(SettingOrigin, any ConfigProvider)] = [
            (.option, InMemoryProvider(name: "options", values: values)),
            (
                .environment,
                EnvironmentVariablesProvider(environmentVariables: environment, secretsSpecifier: .all)
                    .prefixKeys(with: "roundhouse")
            ),
        ]
        let pathVariable = Setting.variablePrefix + "CONFIG"
        if let path = options.config ?? environment[pathVariable] {
            if let provider = try await file(path) { providers.append((.file(path), provider)) }
        }
        return SettingSources(providers: providers, likelyTypos: likelyTypos(environment, except: [pathVariable]))
    }

    /// What was given for a setting, at the first place that has it.
    func value(of setting: Setting) throws(SettingsError) -> GivenSetting? {
        for (origin, provider) in providers {
            if let texts = try Self.texts(of: setting, from: provider, origin) {
                return GivenSetting(texts: texts.map { Secret($0) }, origin: origin)
            }
        }
        return nil
    }

    private static func key(_ setting: Setting) -> AbsoluteConfigKey { AbsoluteConfigKey([setting.rawValue]) }

    private static func texts(
        of setting: Setting, from provider: any ConfigProvider, _ origin: SettingOrigin
    ) throws(SettingsError) -> [String]? {
        let list: [ConfigType] = [.stringArray, .string]
        let types: [ConfigType] =
            switch (origin, setting.kind) {
            case (.option, _), (_, .list): list
            default: [.string]
            }
        for (index, type) in types.enumerated() {
            do {
                switch try provider.value(forKey: key(setting), type: type).value?.content {
                case .string(let text): return [text]
                case .stringArray(let texts): return texts
                default: return nil
                }
            } catch {
                guard index == types.count - 1 else { continue }
                throw SettingsError(
                    message: "\(origin.name(of: setting)): a list, where one value is expected")
            }
        }
        return nil
    }

    /// - Returns: `nil` for a file of comments only.
    private static func file(_ path: String) async throws(SettingsError) -> (any ConfigProvider)? {
        let text: String
        do { text = try String(contentsOfFile: path, encoding: .utf8) } catch {
            throw SettingsError(
                message: "\(path): the configuration file cannot be read: give --config a readable UTF-8 file")
        }
        let lines = text.split(separator: "\n").map { $0.drop { $0 == " " || $0 == "\r" || $0 == "\t" } }
        guard lines.contains(where: { !$0.isEmpty && !$0.hasPrefix("#") && $0 != "---" }) else { return nil }
        let seen = SeenKeys()
        let provider: any ConfigProvider
        do {
            // The question whether a key is secret comes for each that the file has: so all of them are known.
            let options = YAMLSnapshot.ParsingOptions(
                secretsSpecifier: .dynamic { key, _ in
                    seen.add(key)
                    return Setting(rawValue: key)?.isSecret ?? true
                })
            let reader = ConfigReader(
                provider: InMemoryProvider(values: ["filePath": ConfigValue(.string(path), isSecret: false)]))
            provider = try await FileProvider<YAMLSnapshot>(parsingOptions: options, config: reader)
        } catch {
            // YAML's errors show the text around the place, which might be a secret: the first line says where.
            let reason = "\(error)".split(separator: "\n").first ?? "unreadable"
            throw SettingsError(message: "\(path): not YAML with one value a key: \(reason)")
        }
        let known = Setting.allCases.map(\.rawValue)
        for name in seen.names where !known.contains(name) {
            let meant = NearestName.of(name, among: known).map { ": did you mean \($0)?" } ?? ": see Docs/Operations.md"
            throw SettingsError(message: "\(path): there is no setting \(name)\(meant)")
        }
        return provider
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

/// The keys of a file, in the order of their names.
private final class SeenKeys: Sendable {
    private let keys = Mutex<Set<String>>([])
    func add(_ key: String) { keys.withLock { _ = $0.insert(key) } }
    var names: [String] { keys.withLock { $0.sorted() } }
}
