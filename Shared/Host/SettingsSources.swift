internal import Configuration
internal import FoundationEssentials

/// Where settings come from, before anybody has checked them.
struct SettingsSources {
    /// Names that belong to the operator's command, to the tests, or say where to look; no service reads them.
    private static let others: Set<String> = [
        "CLUB_CONFIG", "CLUB_DATA", "CLUB_POSTGRES_BIN", "CLUB_TEST_POSTGRES", "CLUB_TEST_POSTGRES_BIN",
        "CLUB_OPERATOR_DATABASE", "CLUB_OPERATOR_DATABASE_PASSWORD", "CLUB_OPERATOR_DATABASE_PASSWORD_FILE",
        "CLUB_OPERATOR_URL",
    ]

    private let reader: ConfigReader
    private let names: [String]

    /// - Parameters:
    ///   - given: what the program itself hands over.
    ///   - environment: only what begins with `CLUB_` is looked at.
    /// - Throws: ``SettingsError`` when the file of `CLUB_CONFIG` cannot be read.
    init(given: [String: String] = [:], environment: [String: String]) throws {
        let environment = environment.filter { $0.key.hasPrefix("CLUB_") }
        let file = try environment["CLUB_CONFIG"].map(Self.read(file:)) ?? [:]
        self.names = Set(given.keys).union(environment.keys).union(file.keys).sorted()
        self.reader = ConfigReader(providers: [
            InMemoryProvider(name: "program", values: Self.values(given)),
            EnvironmentVariablesProvider(environmentVariables: environment),
            InMemoryProvider(name: "file", values: Self.values(file)),
        ])
    }

    /// The text that is set for a setting; nil when none is.
    func value(of setting: Setting) throws -> String? {
        let own = self.text(setting.name, isSecret: setting.isSecret)
        guard setting.isSecret, let path = self.text(setting.name + "_FILE", isSecret: false) else { return own }
        guard own == nil else {
            throw SettingsError("\(setting.name) and \(setting.name)_FILE are both set: choose one.")
        }
        guard let bytes = FileManager.default.contents(atPath: path),
            let text = String(validating: bytes, as: UTF8.self)
        else {
            throw SettingsError("\(setting.name)_FILE names \(path), which cannot be read as text.")
        }
        // Editors and `echo` end a file with a line feed, which is not part of the secret.
        return text.hasSuffix("\n") ? String(text.dropLast()) : text
    }

    /// A name that nobody declared is a slip of the pen, and the setting that was meant has its default: refuse.
    /// Settings of services that are not in this process are theirs to check, so that one file can serve all.
    func refuseUnknown(besides declared: [Setting]) throws {
        var known = Set(declared.map(\.name))
        known.formUnion(declared.filter(\.isSecret).map { $0.name + "_FILE" })
        let present = Set(declared.compactMap { ServiceCatalogue.owner(of: $0.name) })
        for name in self.names where !known.contains(name) && !Self.others.contains(name) {
            if let owner = ServiceCatalogue.owner(of: name), !present.contains(owner) { continue }
            throw SettingsError.unknown(name, nearest: Self.nearest(to: name, among: known))
        }
    }

    private func text(_ name: String, isSecret: Bool) -> String? {
        // Compose files and shells say "not set" by an empty text.
        self.reader.string(forKey: Self.key(name), isSecret: isSecret).flatMap { $0.isEmpty ? nil : $0 }
    }

    /// One component, which the provider of the environment writes in capitals again.
    private static func key(_ name: String) -> ConfigKey {
        ConfigKey([name.lowercased()])
    }

    private static func values(_ texts: [String: String]) -> [AbsoluteConfigKey: ConfigValue] {
        let pairs = texts.map { (AbsoluteConfigKey(Self.key($0.key)), ConfigValue(.string($0.value), isSecret: true)) }
        return Dictionary(pairs, uniquingKeysWith: { first, _ in first })
    }

    private static func read(file: String) throws -> [String: String] {
        guard let bytes = FileManager.default.contents(atPath: file) else {
            throw SettingsError("CLUB_CONFIG names \(file), which cannot be read.")
        }
        guard let scalars = try? JSONDecoder().decode([String: Scalar].self, from: bytes) else {
            throw SettingsError(
                "CLUB_CONFIG names \(file), which is not a JSON object of setting names with texts, numbers or flags.")
        }
        return scalars.mapValues(\.text)
    }

    /// The known name with the fewest changed letters, when few are.
    private static func nearest(to name: String, among known: Set<String>) -> String? {
        let distances = known.sorted().map { (name: $0, distance: Self.distance(name, $0)) }
        guard let best = distances.min(by: { $0.distance < $1.distance }), best.distance <= 3 else { return nil }
        return best.name
    }

    /// Levenshtein's distance.
    private static func distance(_ left: String, _ right: String) -> Int {
        let (left, right) = (Array(left.utf8), Array(right.utf8))
        var row = Array(0...right.count)
        for (i, a) in left.enumerated() {
            var diagonal = row[0]
            row[0] = i + 1
            for (j, b) in right.enumerated() {
                let above = row[j + 1]
                row[j + 1] = min(above + 1, row[j] + 1, diagonal + (a == b ? 0 : 1))
                diagonal = above
            }
        }
        return row[right.count]
    }
}

/// A text, a number or a flag of the file.
private struct Scalar: Decodable {
    let text: String

    init(from decoder: any Decoder) throws {
        let container = try decoder.singleValueContainer()
        if let text = try? container.decode(String.self) {
            self.text = text
        } else if let number = try? container.decode(Int.self) {
            self.text = "\(number)"
        } else {
            self.text = "\(try container.decode(Bool.self))"
        }
    }
}
