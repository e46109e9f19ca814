import FoundationEssentials
import Kernel
import TestSupport
import Testing

@testable import Postgres

@Suite(.sharedDatabase()) struct CodecTests {
    private func roundTrip<Value: PostgresEncodable & PostgresDecodable>(_ value: Value) async throws -> Value {
        try await TestDatabase.current.owner.one("select \(value)").decode(Value.self)
    }

    private func check<Value: PostgresEncodable & PostgresDecodable & Equatable>(_ values: Value...) async throws {
        for value in values { #expect(try await self.roundTrip(value) == value) }
        #expect(try await self.roundTrip(Value?.none) == nil)
    }

    @Test func `integers come back at their extremes`() async throws {
        try await self.check(Int16.min, -1, 0, 1, Int16.max)
        try await self.check(Int32.min, -1, 0, 1, Int32.max)
        try await self.check(Int64.min, -1, 0, 1, Int64.max)
        try await self.check(Int.min, -1, 0, 1, Int.max)
    }

    @Test func `floats come back with their infinities`() async throws {
        try await self.check(
            0, -0.5, Double.pi, .infinity, -.infinity, .greatestFiniteMagnitude, .leastNonzeroMagnitude)
        #expect(try await self.roundTrip(Double.nan).isNaN)
    }

    @Test func `booleans, texts and bytes come back`() async throws {
        try await self.check(true, false)
        try await self.check(
            "", "plain", "Молоко «Домик в деревне» 🥛", "'\"\\$1\n\t",
            String(repeating: "ё", count: 70_000))
        try await self.check([UInt8](), [0, 1, 255], [UInt8](repeating: 7, count: 1_000_000))
    }

    @Test func `uuids, moments, dates and intervals come back`() async throws {
        try await self.check(UUID(), UUID(uuid: (0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0)))
        // From 4713 BC to the year 294276 is what PostgreSQL has.
        try await self.check(
            Timestamp(microseconds: 0), Timestamp(microseconds: -1), Timestamp(microseconds: 1_790_000_000_123_456),
            Timestamp(microseconds: -210_866_803_200_000_000), Timestamp(microseconds: .max))
        try await self.check(
            CivilDate(daysSince1970: 0), CivilDate(daysSince1970: -719_000), CivilDate(daysSince1970: 20_000))
        try await self.check(Duration.zero, .microseconds(-1), .seconds(86_400 * 400) + .microseconds(7))
    }

    @Test func `JSON comes back, read and unread`() async throws {
        struct Body: Codable, Equatable { var a: Int, b: [String]?, c: String }
        let body = Body(a: 1, b: ["x", "ы"], c: "\"/\\")
        #expect(try await self.roundTrip(JSONB(body)).value == body)
        #expect(try await self.roundTrip(RawJSON("{\"a\": [1, null]}")).text == "{\"a\": [1, null]}")
        let plain = try await TestDatabase.current.owner.one("select '[1,  2]'::json").decode(RawJSON.self)
        #expect(plain.text == "[1,  2]")
    }

    @Test func `arrays come back, empty, with nulls, and of everything`() async throws {
        try await self.check([Int16](), [1, -1])
        try await self.check([Int32](), [1, .max])
        try await self.check([Int64](), [1, .min])
        try await self.check([Int](), [1, .max])
        try await self.check([Double](), [1.5, -.infinity])
        try await self.check([Bool](), [true, false])
        try await self.check([String](), ["", "a,b", "{}", "\"", "NULL", "ё"])
        try await self.check([UUID](), [UUID(), UUID()])
        try await self.check([Timestamp](), [Timestamp(microseconds: 5)])
        try await self.check([Duration](), [.seconds(1)])
        try await self.check([CivilDate](), [CivilDate(daysSince1970: 1)])
        try await self.check([[UInt8]](), [[], [0, 255]])
        try await self.check([RawJSON](), [RawJSON("1")])
        try await self.check([Int?](), [1, nil, 3])
        try await self.check([String?](), [nil, "", nil])
        try await self.check([UUID?](), [nil, UUID()])
    }

    @Test func `the house's own types come back`() async throws {
        try await self.check(Identifier<Codec>(UUID()))
        try await self.check(Points.zero, Points(Int64.max)!)
        try await self.check(Kopecks(15)!)
        try await self.check(Quantity(thousandths: 1500)!)
        try await self.check(StoreID("store-7")!)
        try await self.check(try PhoneNumber(parsing: "+79161234567"))
        try await self.check([Identifier<Codec>(UUID()), Identifier<Codec>(UUID())])
        try await self.check([Points(1)!])
    }

    private enum Codec {}
    private enum State: String, PostgresWrapper, PostgresArrayElement { case open, closed }

    @Test func `an enum with raw text is stored as its text, and an unknown one is refused`() async throws {
        try await self.check(State.open, .closed)
        try await self.check([State.open, .closed])
        let error = try await databaseError {
            _ = try await TestDatabase.current.owner.one("select 'ajar'::text").decode(State.self)
        }
        #expect(error.code == .decodingFailed)
    }

    @Test func `an enum of the database is read as text`() async throws {
        let database = try TestDatabase.current.owner
        try await database.execute("create type mood as enum ('good', 'bad')")
        #expect(try await database.one("select \("bad")::mood").decode(String.self) == "bad")
    }

    @Test func `narrow integers are read into wide ones, wide ones only when they fit`() async throws {
        let row = try await TestDatabase.current.owner.one(
            "select 7::smallint, 8::integer, 9::bigint, 5000000000::bigint as big")
        #expect(try row.value(at: 0, as: Int64.self) == 7)
        #expect(try row.value(at: 1, as: Int.self) == 8)
        #expect(try row.value(at: 2, as: Int16.self) == 9)
        #expect(throws: DatabaseError.self) { try row.value("big", as: Int32.self) }
    }

    @Test(arguments: [
        ("0", Int64?(0)), ("9999", 9999), ("10000", 10000), ("-120000000", -120_000_000),
        ("9223372036854775807", .max), ("-9223372036854775808", .min), ("9223372036854775808", nil), ("1.5", nil),
        ("10000.0", 10000), ("NaN", nil), ("Infinity", nil), ("0.0001", nil),
    ])
    func `a whole numeric, as sums of bigint are, is read as an integer`(text: String, expected: Int64?) async throws {
        let row = try await TestDatabase.current.owner.one("select \(text)::text::numeric")
        #expect((try? row.decode(Int64.self)) == expected)
    }

    @Test func `a text with the character NUL is refused before it is sent`() async throws {
        let error = try await databaseError { try await TestDatabase.current.owner.execute("select \("a\0b")") }
        #expect(error.code == .encodingFailed)
        #expect("\(error)".contains("NUL"))
    }

    @Test func `infinite moments are refused`() async throws {
        let row = try await TestDatabase.current.owner.one("select 'infinity'::timestamptz, 'infinity'::date")
        #expect(throws: DatabaseError.self) { try row.value(at: 0, as: Timestamp.self) }
        #expect(throws: DatabaseError.self) { try row.value(at: 1, as: CivilDate.self) }
    }

    @Test func `a null where none is expected names its column and no value`() async throws {
        let row = try await TestDatabase.current.owner.one("select null::bigint as points")
        let error = #expect(throws: DatabaseError.self) { try row.value("points", as: Int.self) }
        #expect(error?.code == .decodingFailed)
        #expect(error.map { "\($0)".contains("points: found null") } == true)
    }

    @Test func `a wrong type, a wrong number of columns and an unknown name are refused`() async throws {
        let row = try await TestDatabase.current.owner.one("select 'a'::text as a, 1 as b")
        #expect(throws: DatabaseError.self) { try row.value("a", as: Int.self) }
        #expect(throws: DatabaseError.self) { try row.value("b", as: String.self) }
        #expect(throws: DatabaseError.self) { try row.value("b", as: UUID.self) }
        #expect(throws: DatabaseError.self) { try row.value("c", as: Int.self) }
        #expect(throws: DatabaseError.self) { try row.value(at: 2, as: Int.self) }
        #expect(throws: DatabaseError.self) { try row.decode(String.self) }
        let (a, b) = try row.decode(String.self, Int.self)
        #expect(a == "a" && b == 1)
    }

    @Test func `an array of two dimensions is refused`() async throws {
        let row = try await TestDatabase.current.owner.one("select array[[1, 2], [3, 4]]")
        #expect(throws: DatabaseError.self) { try row.decode([Int].self) }
    }
}
