import FoundationEssentials
import Kernel
import Testing

@Suite struct TimestampTests {
    @Test(
        arguments: [
            (0, "1970-01-01T00:00:00Z"),
            (-1, "1969-12-31T23:59:59.999999Z"),
            (-1_000_000, "1969-12-31T23:59:59Z"),
            (1_764_500_000_000_000, "2025-11-30T10:53:20Z"),
            (951_782_400_000_000, "2000-02-29T00:00:00Z"),
            (951_868_799_999_999, "2000-02-29T23:59:59.999999Z"),
            (-2_203_977_600_000_000, "1900-02-28T00:00:00Z"),
            (-2_203_891_200_000_000, "1900-03-01T00:00:00Z"),
            (4_107_456_000_000_000, "2100-02-28T00:00:00Z"),
            (4_107_542_400_000_000, "2100-03-01T00:00:00Z"),
            (1_456_704_000_000_001, "2016-02-29T00:00:00.000001Z"),
            (-62_167_219_200_000_000, "0000-01-01T00:00:00Z"),
            (-62_167_219_200_000_001, "-000001-12-31T23:59:59.999999Z"),
            (253_402_300_799_999_999, "9999-12-31T23:59:59.999999Z"),
            (253_402_300_800_000_000, "+010000-01-01T00:00:00Z"),
            (.max, "+294247-01-10T04:00:54.775807Z"),
            (.min, "-290308-12-21T19:59:05.224192Z"),
        ] as [(Int64, String)])
    func `a moment is written as ISO 8601 and read back`(microseconds: Int64, text: String) {
        #expect(Timestamp(microseconds: microseconds).description == text)
        #expect(Timestamp(text)?.microseconds == microseconds)
    }

    @Test(arguments: [
        ("2026-11-23T13:00:00+03:00", "2026-11-23T10:00:00Z"),
        ("2026-11-23T05:30:00-04:30", "2026-11-23T10:00:00Z"),
        ("2026-11-23T10:00:00+00:00", "2026-11-23T10:00:00Z"),
        ("2026-11-23T10:00:00-00:00", "2026-11-23T10:00:00Z"),
        ("2027-01-01T01:00:00+03:00", "2026-12-31T22:00:00Z"),
        ("2026-11-23t10:00:00z", "2026-11-23T10:00:00Z"),
        ("2026-11-23T10:00:00.5Z", "2026-11-23T10:00:00.500000Z"),
        ("2026-11-23T10:00:00,25Z", "2026-11-23T10:00:00.250000Z"),
        ("2026-11-23T10:00:00.000Z", "2026-11-23T10:00:00Z"),
        ("2026-11-23T10:00:00.123456789Z", "2026-11-23T10:00:00.123456Z"),
        ("1969-12-31T23:59:59.9999999Z", "1969-12-31T23:59:59.999999Z"),
    ])
    func `other zones and fractions are understood`(text: String, meaning: String) {
        #expect(Timestamp(text)?.description == meaning)
    }

    @Test(arguments: [
        "", "now", "2026", "2026-11-23", "2026-11-23T10:00:00", "2026-11-23 10:00:00Z", "2026-11-23T10:00Z",
        "2026-11-23T10:00:00.Z", "2026-11-23T10:00:00+03", "2026-11-23T10:00:00+0300", "2026-11-23T10:00:00Z ",
        " 2026-11-23T10:00:00Z", "2026-11-23T10:00:00ZZ", "2026-11-31T10:00:00Z", "2026-02-29T10:00:00Z",
        "1900-02-29T00:00:00Z", "2100-02-29T00:00:00Z", "2026-00-10T10:00:00Z", "2026-13-10T10:00:00Z",
        "2026-11-00T10:00:00Z", "2026-11-23T24:00:00Z", "2026-11-23T10:60:00Z", "2026-11-23T10:00:60Z",
        "2026-11-23T10:00:00+24:00", "2026-11-23T10:00:00+03:60", "26-11-23T10:00:00Z", "02026-11-23T10:00:00Z",
        "２０２６-11-23T10:00:00Z", "2026-11-23T10:00:00−03:00", "+294247-01-10T04:00:54.775808Z",
        "-290308-12-21T19:59:05.224191Z", "+999999-01-01T00:00:00Z",
    ])
    func `everything else is no moment`(text: String) {
        #expect(Timestamp(text) == nil)
    }

    @Test func `every day of eight centuries is its neighbour's neighbour`() throws {
        var expected = try #require(CivilDate(year: 1599, month: 12, day: 31))
        for days in expected.daysSince1970 + 1...expected.daysSince1970 + 293_000 {
            let date = CivilDate(daysSince1970: days)
            #expect(date.daysSince1970 == days)
            let isNextDay = date.day == expected.day + 1 && date.month == expected.month && date.year == expected.year
            let isNextMonth = date.day == 1 && date.month == expected.month + 1 && date.year == expected.year
            let isNextYear = date.day == 1 && date.month == 1 && date.year == expected.year + 1
            guard isNextDay || isNextMonth || isNextYear,
                CivilDate(year: date.year, month: date.month, day: date.day) == date
            else {
                Issue.record("\(date) follows \(expected)")
                return
            }
            expected = date
        }
    }

    @Test func `moments spread over all time survive their text`() {
        var number: UInt64 = 0
        for _ in 0..<20_000 {
            // Weyl's sequence of the golden ratio visits the whole range evenly.
            number &+= 0x9E37_79B9_7F4A_7C15
            let moment = Timestamp(microseconds: Int64(bitPattern: number))
            #expect(Timestamp(moment.description) == moment)
        }
    }

    @Test func `durations move moments and measure between them`() throws {
        let noon = try #require(Timestamp("2026-11-23T12:00:00Z"))
        #expect((noon + .seconds(86_400)).description == "2026-11-24T12:00:00Z")
        #expect((noon - .milliseconds(1)).description == "2026-11-23T11:59:59.999000Z")
        #expect(noon + .nanoseconds(999) == noon)
        #expect((noon + .seconds(90)) - noon == .seconds(90))
        #expect(noon - (noon + .microseconds(1)) == .microseconds(-1))
    }

    @Test func `beyond the ends of time a moment stays at the end`() {
        let (first, last) = (Timestamp(microseconds: .min), Timestamp(microseconds: .max))
        #expect(last + .microseconds(1) == last)
        #expect(first - .microseconds(1) == first)
        #expect(last + .seconds(Int64.max) == last)
        #expect(first - .seconds(Int64.max) == first)
        #expect(last - first == .microseconds(Int64.max) - .microseconds(Int64.min))
        #expect(Timestamp(secondsSince1970: .max) == last)
        #expect(Timestamp(secondsSince1970: .min) == first)
    }

    @Test(arguments: [(0, 0), (999_999, 0), (1_000_000, 1), (-1, -1), (-1_000_000, -1), (-1_000_001, -2)])
    func `whole seconds are rounded towards the past`(microseconds: Int64, seconds: Int64) {
        #expect(Timestamp(microseconds: microseconds).secondsSince1970 == seconds)
    }

    @Test func `a moment is a string in JSON`() throws {
        let moment = Timestamp(microseconds: 1_500_000)
        let json = try JSONEncoder().encode([moment])
        #expect(String(decoding: json, as: UTF8.self) == #"["1970-01-01T00:00:01.500000Z"]"#)
        #expect(try JSONDecoder().decode([Timestamp].self, from: json) == [moment])
        #expect(throws: DecodingError.self) { try JSONDecoder().decode([Timestamp].self, from: Data("[1]".utf8)) }
    }

    @Test func `the machine's clock tells the time`() throws {
        let now = SystemClock().now
        #expect(try now > #require(Timestamp("2025-01-01T00:00:00Z")))
        #expect(try now < #require(Timestamp("2200-01-01T00:00:00Z")))
    }
}
