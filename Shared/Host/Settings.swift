public import Kernel

/// The values of all declared settings, checked.
///
/// Looked for in this order: what the program itself hands over, the environment, the file that `CLUB_CONFIG` names, the
/// default. A secret may also be in the file that `<name>_FILE` names.
public struct Settings: Sendable {
    private let declared: [String: Setting]
    private let values: [String: String]

    /// Reads and checks everything at once, so that a process either starts with settings that make sense or not at all.
    /// - Parameters:
    ///   - declared: every setting that the process knows.
    ///   - sources: where to look.
    /// - Throws: ``SettingsError``
    init(_ declared: [Setting], from sources: SettingsSources) throws {
        self.declared = Dictionary(declared.map { ($0.name, $0) }, uniquingKeysWith: { first, _ in first })
        try sources.refuseUnknown(besides: declared)
        var values: [String: String] = [:]
        for setting in self.declared.values {
            guard let value = try sources.value(of: setting) ?? setting.fallback else {
                if setting.isRequired { throw SettingsError.missing(setting) }
                continue
            }
            guard setting.isValid(value) else { throw SettingsError.invalid(setting, value) }
            values[setting.name] = value
        }
        self.values = values
    }

    /// The value of a ``Setting/integer(_:default:in:meaning:)``.
    public func integer(_ setting: Setting) throws -> Int {
        try self.value(setting, read: { Int($0) })
    }

    /// The value of a ``Setting/duration(_:default:in:meaning:)``.
    public func duration(_ setting: Setting) throws -> Duration {
        try self.value(setting, read: DurationText.read)
    }

    /// The value of a ``Setting/flag(_:default:meaning:)``.
    public func flag(_ setting: Setting) throws -> Bool {
        try self.value(setting, read: { Bool($0) })
    }

    /// The value of a ``Setting/text(_:default:meaning:)`` with a default, or of a choice.
    public func text(_ setting: Setting) throws -> String {
        try self.value(setting, read: { $0 })
    }

    /// The value of a text that may be left out.
    public func optionalText(_ setting: Setting) throws -> String? {
        try self.check(setting)
        return self.values[setting.name]
    }

    /// The value of a ``Setting/secret(_:minimumBytes:meaning:)``.
    public func secret(_ setting: Setting) throws -> Secret {
        try self.value(setting, read: { Secret($0) })
    }

    /// The value of a ``Setting/optionalSecret(_:meaning:)``.
    public func optionalSecret(_ setting: Setting) throws -> Secret? {
        try self.check(setting)
        return self.values[setting.name].map { Secret($0) }
    }

    /// Every setting with its value, by name; secrets as stars, so that it can be logged.
    public var masked: [(name: String, value: String)] {
        self.declared.keys.sorted().compactMap { name in
            guard let value = self.values[name] else { return nil }
            return (name, self.declared[name]?.isSecret ?? true ? "***" : ConnectionText.masked(value))
        }
    }

    private func value<Value>(_ setting: Setting, read: (String) -> Value?) throws -> Value {
        try self.check(setting)
        guard let text = self.values[setting.name] else { throw SettingsError.missing(setting) }
        guard let value = read(text) else { throw SettingsError.invalid(setting, text) }
        return value
    }

    private func check(_ setting: Setting) throws {
        guard self.declared[setting.name] != nil else {
            throw SettingsError("\(setting.name) is read but not among the settings that its service declares.")
        }
    }
}

/// Connection strings may carry passwords.
enum ConnectionText {
    /// Passwords in a URL or in keywords as stars; other texts unchanged.
    static func masked(_ text: String) -> String {
        text.replacing(#/password\s*=\s*('(\\.|[^'\\])*'|\S+)/#, with: "password=***")
            .replacing(#/:\/\/([^:\/@\s]*):[^@\/\s]*@/#) { match in "://\(match.1):***@" }
    }
}
