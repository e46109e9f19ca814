/// One thing that an operator may set: its name, its default, what it means and what is allowed.
///
/// The name is that of the environment variable. Settings of a service begin with `CLUB_<SERVICE>_`.
public struct Setting: Sendable {
    /// The environment variable, and the name in the file of `CLUB_CONFIG`.
    public let name: String
    /// As it would be written; nil when there is none and the setting must be given, or may be left out (``isRequired``).
    public let fallback: String?
    /// What it is for, as an end of the sentence "It says …".
    public let meaning: String
    /// What may be written, as the end of the sentence "It must be …".
    public let allowed: String
    /// Whether its value is kept out of logs and may come from the file that `<name>_FILE` names.
    public let isSecret: Bool
    /// Whether the process stops when it is missing.
    public let isRequired: Bool
    let isValid: @Sendable (String) -> Bool

    private init(
        _ name: String, fallback: String?, meaning: String, allowed: String, isSecret: Bool = false,
        isRequired: Bool = false, isValid: @escaping @Sendable (String) -> Bool
    ) {
        precondition(name.hasPrefix("CLUB_") && !name.hasSuffix("_FILE"), "\(name) is no name of a setting")
        self.name = name
        self.fallback = fallback
        self.meaning = meaning
        self.allowed = allowed
        self.isSecret = isSecret
        self.isRequired = isRequired
        self.isValid = isValid
    }

    /// Any text that is not empty. Without a default it may be left out.
    public static func text(_ name: String, default fallback: String? = nil, meaning: String) -> Setting {
        Setting(name, fallback: fallback, meaning: meaning, allowed: "a text that is not empty") { !$0.isEmpty }
    }

    /// A whole number within bounds.
    public static func integer(
        _ name: String, default fallback: Int, in bounds: ClosedRange<Int>, meaning: String
    ) -> Setting {
        let allowed = "a whole number from \(bounds.lowerBound) to \(bounds.upperBound)"
        return Setting(name, fallback: "\(fallback)", meaning: meaning, allowed: allowed) { text in
            Int(text).map(bounds.contains) ?? false
        }
    }

    /// A length of time within bounds, written with its unit: `250ms`, `90s`, `15m`, `2h`, `14d`.
    public static func duration(
        _ name: String, default fallback: Duration, in bounds: ClosedRange<Duration>, meaning: String
    ) -> Setting {
        let allowed =
            "a length of time such as 90s, 15m or 2h, from \(DurationText.write(bounds.lowerBound)) "
            + "to \(DurationText.write(bounds.upperBound))"
        return Setting(name, fallback: DurationText.write(fallback), meaning: meaning, allowed: allowed) { text in
            DurationText.read(text).map(bounds.contains) ?? false
        }
    }

    /// `true` or `false`.
    public static func flag(_ name: String, default fallback: Bool, meaning: String) -> Setting {
        Setting(name, fallback: "\(fallback)", meaning: meaning, allowed: "true or false") { Bool($0) != nil }
    }

    /// One of some words.
    public static func choice(
        _ name: String, among words: [String], default fallback: String, meaning: String
    ) -> Setting {
        let allowed = "one of \(words.joined(separator: ", "))"
        return Setting(name, fallback: fallback, meaning: meaning, allowed: allowed) { words.contains($0) }
    }

    /// A secret that the service cannot do without.
    /// - Parameter minimumBytes: how much of it there must be at least, as UTF-8.
    public static func secret(_ name: String, minimumBytes: Int, meaning: String) -> Setting {
        Setting(
            name, fallback: nil, meaning: meaning, allowed: "a secret of at least \(minimumBytes) bytes",
            isSecret: true,
            isRequired: true
        ) { $0.utf8.count >= minimumBytes }
    }

    /// A secret that may be left out, such as a password where the server asks for none.
    public static func optionalSecret(_ name: String, meaning: String) -> Setting {
        Setting(name, fallback: nil, meaning: meaning, allowed: "a secret that is not empty", isSecret: true) {
            !$0.isEmpty
        }
    }
}

/// Lengths of time as an operator writes them.
enum DurationText {
    private static let units: [(suffix: String, milliseconds: Int64)] = [
        ("ms", 1), ("s", 1000), ("m", 60_000), ("h", 3_600_000), ("d", 86_400_000),
    ]

    /// Nil unless it is a whole number that is not negative with one of the units.
    static func read(_ text: String) -> Duration? {
        let digits = text.prefix { $0.isASCII && $0.isNumber }
        guard let number = Int64(digits),
            let unit = Self.units.first(where: { $0.suffix == text.dropFirst(digits.count) })
        else { return nil }
        let (milliseconds, overflows) = number.multipliedReportingOverflow(by: unit.milliseconds)
        return overflows ? nil : .milliseconds(milliseconds)
    }

    /// In the largest unit that needs no fraction.
    static func write(_ duration: Duration) -> String {
        let (seconds, attoseconds) = duration.components
        let milliseconds = seconds * 1000 + attoseconds / 1_000_000_000_000_000
        let unit = Self.units.last { milliseconds % $0.milliseconds == 0 && milliseconds >= $0.milliseconds }
        return unit.map { "\(milliseconds / $0.milliseconds)\($0.suffix)" } ?? "0s"
    }
}
