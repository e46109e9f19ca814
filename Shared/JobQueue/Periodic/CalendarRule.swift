/// Which minutes of the clock on the wall a schedule means. A field that leaves nothing out is nil.
struct CalendarRule: Sendable, Hashable {
    var minutes: [Int]?
    /// nil makes a difference: a rule for every hour follows real time when the clock is put forward or back.
    var hours: [Int]?
    var days: [Int]?
    var months: [Int]?
    var weekdays: [Int]?

    /// At this time of every day.
    init(hour: Int, minute: Int) {
        self.hours = [hour]
        self.minutes = [minute]
    }

    /// Reads a cron expression of five fields.
    init(cron expression: String) throws(ScheduleError) {
        let texts = expression.split { $0 == " " || $0 == "\t" }
        guard texts.count == CronField.allCases.count else { throw .fieldCount(texts.count) }
        var fields: [CronField: [Int]] = [:]
        for (field, text) in zip(CronField.allCases, texts) {
            let values = try field.parse(text)
            if values.count < field.all.count { fields[field] = values.sorted() }
        }
        self.minutes = fields[.minute]
        self.hours = fields[.hour]
        self.days = fields[.day]
        self.months = fields[.month]
        self.weekdays = fields[.weekday]
        guard self.isEverDue else { throw .neverDue }
    }

    /// Weekdays come in every month; a day of the month must be in one of the months, in a leap year at least.
    private var isEverDue: Bool {
        guard let days, self.weekdays == nil else { return true }
        let longest = (self.months ?? Array(1...12)).map { month in
            switch month {
            case 2: 29
            case 4, 6, 9, 11: 30
            default: 31
            }
        }
        return days.contains { day in longest.contains { day <= $0 } }
    }
}
