/// A setting with which the process cannot start. The description is one sentence for the operator; it never contains a
/// secret.
public struct SettingsError: Error, Sendable, Equatable, CustomStringConvertible {
    /// What went wrong, and what is allowed.
    public let description: String

    /// - Parameter description: a sentence that names the setting and what is allowed, and no secret.
    public init(_ description: String) {
        self.description = description
    }

    static func unknown(_ name: String, nearest: String?) -> SettingsError {
        SettingsError("\(name) is not a setting" + (nearest.map { "; did you mean \($0)?" } ?? "."))
    }

    static func invalid(_ setting: Setting, _ value: String) -> SettingsError {
        let found = setting.isSecret ? "what it is set to" : "\"\(value)\""
        return SettingsError("\(setting.name) must be \(setting.allowed), not \(found).")
    }

    static func missing(_ setting: Setting) -> SettingsError {
        SettingsError("\(setting.name) is missing: it says \(setting.meaning) and must be \(setting.allowed).")
    }
}
