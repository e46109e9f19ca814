/// Why a schedule is none. Found where the schedule is written, before anything is stored.
public enum ScheduleError: Error, Hashable, Sendable, CustomStringConvertible {
    /// A cron expression of so many fields.
    case fieldCount(Int)
    /// What is no number, name, list, range or step of this field.
    case unreadable(field: CronField, text: String)
    /// A value that the field does not have.
    case outOfRange(field: CronField, value: Int)
    /// A range that ends before it begins.
    case backwards(field: CronField, text: String)
    /// There is no such day in any year.
    case neverDue
    /// Not a whole number of seconds from one to 366 days.
    case period(Duration)
    /// Not a time of day as `03:30`.
    case timeOfDay(String)
    /// Not written like the name of a time zone. Whether there is one of that name the database knows.
    case timeZone(String)

    public var description: String {
        switch self {
        case .fieldCount(let count):
            "A cron expression has five fields (minute, hour, day, month, weekday), not \(count)."
        case .unreadable(let field, let text):
            "\"\(text)\" is no \(field.rawValue) of a cron expression: a number, a name, *, a list, a range or a step."
        case .outOfRange(let field, let value):
            "There is no \(field.rawValue) \(value): it is \(field.values.lowerBound) to \(field.values.upperBound)."
        case .backwards(let field, let text):
            "The \(field.rawValue) range \(text) ends before it begins."
        case .neverDue: "No month of the rule has such a day."
        case .period(let period): "A period is a whole number of seconds, from one to 366 days, not \(period)."
        case .timeOfDay(let text): "A time of day is written as 03:30, not \(text)."
        case .timeZone(let text): "A time zone is written as Europe/Moscow, not \(text)."
        }
    }
}
