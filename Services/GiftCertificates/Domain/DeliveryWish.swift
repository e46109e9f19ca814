import Kernel

/// When a gift is to arrive, by the clock on the recipient's wall.
struct DeliveryWish: Hashable, Sendable {
    /// nil: as soon as it is paid, and not at night.
    let at: LocalMoment?
    let zone: RussianZone
    /// The giver has asked for an hour of the night.
    let evenAtNight: Bool

    /// How far ahead a gift can be ordered.
    static let daysAhead = 365

    /// Nobody is woken between 22:00 and 8:00.
    static func isNight(hour: Int) -> Bool { hour >= 22 || hour < 8 }

    /// Whether the wish is for an hour of the night that was not asked for on purpose.
    var wakesSomebody: Bool {
        guard let at, !self.evenAtNight else { return false }
        return Self.isNight(hour: at.hour)
    }
}

/// A day and a time of the clock on the wall. JSON: `2026-12-04T10:00`.
struct LocalMoment: ValidatedText, Hashable, Sendable {
    /// `2026-12-04T10:00`; what PostgreSQL reads as a timestamp without a zone.
    let text: String
    let hour: Int

    static let requirement = "a local time is written as 2026-12-04T10:00"

    init?(_ description: String) {
        let bytes = Array(description.utf8)
        func number(_ range: Range<Int>) -> Int64? {
            let digits = bytes[range]
            guard digits.allSatisfy({ 0x30...0x39 ~= $0 }) else { return nil }
            return digits.reduce(0) { $0 * 10 + Int64($1 - 0x30) }
        }
        guard bytes.count == 16, bytes[4] == UInt8(ascii: "-"), bytes[7] == UInt8(ascii: "-"),
            bytes[10] == UInt8(ascii: "T"), bytes[13] == UInt8(ascii: ":"),
            let year = number(0..<4), let month = number(5..<7), let day = number(8..<10),
            let hour = number(11..<13), let minute = number(14..<16),
            CivilDate(year: year, month: month, day: day) != nil, year >= 2000, 0...23 ~= hour, 0...59 ~= minute
        else { return nil }
        self.text = description
        self.hour = Int(hour)
    }
}

/// The time zones of Russia, by their names in the IANA database. What their clocks say, the database knows.
enum RussianZone: String, Hashable, Sendable, Codable, CaseIterable {
    case kaliningrad = "Europe/Kaliningrad"
    case moscow = "Europe/Moscow"
    case volgograd = "Europe/Volgograd"
    case samara = "Europe/Samara"
    case saratov = "Europe/Saratov"
    case astrakhan = "Europe/Astrakhan"
    case ulyanovsk = "Europe/Ulyanovsk"
    case yekaterinburg = "Asia/Yekaterinburg"
    case omsk = "Asia/Omsk"
    case novosibirsk = "Asia/Novosibirsk"
    case barnaul = "Asia/Barnaul"
    case tomsk = "Asia/Tomsk"
    case novokuznetsk = "Asia/Novokuznetsk"
    case krasnoyarsk = "Asia/Krasnoyarsk"
    case irkutsk = "Asia/Irkutsk"
    case chita = "Asia/Chita"
    case yakutsk = "Asia/Yakutsk"
    case vladivostok = "Asia/Vladivostok"
    case magadan = "Asia/Magadan"
    case sakhalin = "Asia/Sakhalin"
    case kamchatka = "Asia/Kamchatka"
    case anadyr = "Asia/Anadyr"
}
