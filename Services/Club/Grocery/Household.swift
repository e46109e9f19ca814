import Kernel

/// A household of the grocery data as a member: everything is made from its number, so that it is the same each time.
struct Household: Sendable, Hashable {
    let number: Int64

    /// What the club knows the member by.
    static let referencePrefix = "grocery:household:"

    var reference: String { "\(Self.referencePrefix)\(self.number)" }

    /// The number in a reference; nil when it is no household's.
    init?(reference: String) {
        guard reference.hasPrefix(Self.referencePrefix),
            let number = DecimalText.whole(reference.utf8.dropFirst(Self.referencePrefix.utf8.count))
        else { return nil }
        self.number = number
    }

    init(_ number: Int64) { self.number = number }

    /// A made-up number in +7 999 1…, one per household; nil beyond the million that fits.
    var phone: PhoneNumber? {
        guard 0..<1_000_000 ~= self.number else { return nil }
        return try? PhoneNumber(parsing: "+7\(9_991_000_000 + self.number)")
    }

    /// A made-up name.
    var fullName: FullName? {
        let index = Int(self.number.magnitude % UInt64(Self.lastNames.count * Self.firstNames.count))
        return FullName(
            last: Self.lastNames[index % Self.lastNames.count], first: Self.firstNames[index / Self.lastNames.count])
    }

    // Names without a grammatical gender, so that each pair is possible.
    private static let lastNames = [
        "Шевченко", "Ткаченко", "Черных", "Седых", "Бондаренко", "Коваленко", "Белых", "Долгих", "Савченко", "Дурново",
        "Живаго", "Крутых", "Романенко", "Малых", "Гончаренко", "Сухих", "Данилюк", "Мороз", "Кравец", "Чумак",
    ]

    private static let firstNames = [
        "Саша", "Женя", "Валя", "Шура", "Паша", "Слава", "Никита", "Илья", "Тоня", "Вася", "Маша", "Петя", "Лена",
    ]
}
