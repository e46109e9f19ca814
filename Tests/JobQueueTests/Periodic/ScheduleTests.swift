import FoundationEssentials
import Kernel
import Testing

@testable import JobQueue

/// What a schedule is, and what is none. Moments are the database's: see `NextRunTests`.
@Suite struct ScheduleTests {
    private func rule(_ expression: String) throws -> CalendarRule {
        try CalendarRule(cron: expression)
    }

    @Test func `a field is a star, a value, a range, a list or a step`() throws {
        #expect(try self.rule("* * * * *").minutes == nil)
        #expect(try self.rule("5 * * * *").minutes == [5])
        #expect(try self.rule("5-8 * * * *").minutes == [5, 6, 7, 8])
        #expect(try self.rule("50,5-7,6 * * * *").minutes == [5, 6, 7, 50])
        #expect(try self.rule("*/20 * * * *").minutes == [0, 20, 40])
        #expect(try self.rule("10-30/10,59 * * * *").minutes == [10, 20, 30, 59])
        #expect(try self.rule("0 8-18/5 * * *").hours == [8, 13, 18])
        #expect(try self.rule("0 0 1-31/15 * *").days == [1, 16, 31])
    }

    @Test func `months and weekdays have names, and Sunday has two numbers`() throws {
        let rule = try self.rule("0 0 * jan,MAR-may,12 mon,Fri-7")
        #expect(rule.months == [1, 3, 4, 5, 12])
        #expect(rule.weekdays == [0, 1, 5, 6])
        #expect(try self.rule("0 0 * * 7").weekdays == [0])
    }

    @Test(arguments: ["0-59 0-23 1-31 1-12 0-6", "*/1 */1 */1 */1 */1", "* * * JAN-DEC SUN-7"])
    func `a field that leaves nothing out is no restriction`(expression: String) throws {
        #expect(try self.rule(expression) == self.rule("* * * * *"))
    }

    @Test(
        arguments: [
            ("* * * *", .fieldCount(4)), ("* * * * * *", .fieldCount(6)), ("", .fieldCount(0)),
            ("60 * * * *", .outOfRange(field: .minute, value: 60)),
            ("* 24 * * *", .outOfRange(field: .hour, value: 24)),
            ("* * 0 * *", .outOfRange(field: .day, value: 0)), ("* * 32 * *", .outOfRange(field: .day, value: 32)),
            ("* * * 13 *", .outOfRange(field: .month, value: 13)),
            ("* * * * 8", .outOfRange(field: .weekday, value: 8)),
            ("5-2 * * * *", .backwards(field: .minute, text: "5-2")),
            ("* * * * FRI-MON", .backwards(field: .weekday, text: "FRI-MON")),
            ("a * * * *", .unreadable(field: .minute, text: "a")),
            ("MON * * * *", .unreadable(field: .minute, text: "MON")),
            ("* * * FOO *", .unreadable(field: .month, text: "FOO")),
            ("-5 * * * *", .unreadable(field: .minute, text: "")),
            ("+5 * * * *", .unreadable(field: .minute, text: "+5")),
            ("1,,2 * * * *", .unreadable(field: .minute, text: "")),
            ("1-2-3 * * * *", .unreadable(field: .minute, text: "1-2-3")),
            ("*/0 * * * *", .unreadable(field: .minute, text: "*/0")),
            ("5/15 * * * *", .unreadable(field: .minute, text: "5/15")),
            ("*/5/5 * * * *", .unreadable(field: .minute, text: "*/5/5")),
            ("*/ * * * *", .unreadable(field: .minute, text: "*/")),
            ("0 0 30 2 *", .neverDue), ("0 0 31 4,6,9,11 *", .neverDue),
        ] as [(String, ScheduleError)])
    func `what is no cron expression is refused with the reason`(expression: String, error: ScheduleError) {
        #expect(throws: error) { try Schedule.cron(expression, in: "UTC") }
        #expect(!error.description.isEmpty)
    }

    @Test func `a day that only leap years have is one, and a weekday comes in every month`() throws {
        #expect(try self.rule("0 0 29 2 *").days == [29])
        #expect(try self.rule("0 0 30 2 MON").weekdays == [1])
    }

    @Test(arguments: ["3:30", "03:60", "24:00", "0330", "03:30:00", "", "-1:30", "٠٣:٣٠"])
    func `what is no time of day is refused`(time: String) {
        #expect(throws: ScheduleError.timeOfDay(time)) { try Schedule.daily(at: time, in: "UTC") }
    }

    @Test(arguments: ["", "europe/Moscow", "Europe/Moscow'", "+3", "Europe Moscow", String(repeating: "A", count: 65)])
    func `what cannot be the name of a time zone is refused`(zone: String) {
        #expect(throws: ScheduleError.timeZone(zone)) { try Schedule.daily(at: "03:30", in: zone) }
        #expect(throws: ScheduleError.timeZone(zone)) { try Schedule.cron("* * * * *", in: zone) }
    }

    @Test(arguments: [.zero, .milliseconds(1500), .seconds(-1), .seconds(366 * 86_400 + 1)] as [Duration])
    func `what is no period is refused`(period: Duration) {
        #expect(throws: ScheduleError.period(period)) { try Schedule.every(period) }
    }

    @Test(
        arguments: [
            (.seconds(45), "every 45 s"), (.seconds(60), "every 1 min"), (.seconds(5400), "every 90 min"),
            (.seconds(7200), "every 2 h"), (.seconds(86_400), "every 1 d"),
        ] as [(Duration, String)])
    func `a period reads as a person would say it`(period: Duration, text: String) throws {
        #expect(try Schedule.every(period).description == text)
    }

    @Test func `the stored form is numbers only, and has what the source says`() throws {
        let encoder = JSONEncoder()
        encoder.outputFormatting = [.sortedKeys]
        func json(_ schedule: Schedule) throws -> String {
            String(decoding: try encoder.encode(schedule), as: UTF8.self)
        }
        #expect(
            try json(.cron("*/30 3 * DEC MON-TUE", in: "UTC"))
                == #"{"hours":[3],"minutes":[0,30],"months":[12],"weekdays":[1,2]}"#)
        #expect(try json(.daily(at: "03:05", in: "Europe/Moscow")) == #"{"hours":[3],"minutes":[5]}"#)
        #expect(
            try json(.every(.seconds(90), from: Timestamp(microseconds: 5_900_000))) == #"{"anchor":5,"every":90}"#)
    }
}
