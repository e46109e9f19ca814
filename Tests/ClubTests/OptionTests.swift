import ArgumentParser
import Kernel
import Testing

@testable import Club

@Suite struct OptionTests {
    private func grocery(_ arguments: String...) throws -> ReplayCommand.Grocery {
        try ReplayCommand.Grocery.parse(["folder"] + arguments)
    }

    @Test func `a replay takes the rate of sixty and everything there is`() throws {
        let options = try self.grocery().options
        #expect(options.rate == 60)
        #expect(options.speed == nil)
        #expect(options.selection.includes(household: 2499, at: Timestamp(microseconds: .max)))
    }

    @Test func `from is the first midnight and to is the midnight after the last day`() throws {
        let selection = try self.grocery("--households", "5-7", "--from", "2017-01-01", "--to", "2017-02-01")
            .options.selection
        let moments = ["2016-12-31T23:59:59Z", "2017-01-01T00:00:00Z", "2017-01-31T23:59:59Z", "2017-02-01T00:00:00Z"]
        let included = try moments.map { selection.includes(household: 5, at: try #require(Timestamp($0))) }
        #expect(included == [false, true, true, false])
        let inside = try #require(Timestamp(moments[1]))
        #expect([4, 5, 7, 8].map { selection.includes(household: $0, at: inside) } == [false, true, true, false])
    }

    @Test(arguments: [("7", 7...7), ("1-600", 1...600), ("0-0", 0...0)] as [(String, ClosedRange<Int64>)])
    func `households are one number or two`(text: String, range: ClosedRange<Int64>) {
        #expect(HouseholdRange(argument: text)?.range == range)
    }

    @Test(arguments: ["", "-", "1-", "-1", "2-1", "1-2-3", "a-b", "1,2"])
    func `what is no range of households is refused`(text: String) {
        #expect(HouseholdRange(argument: text) == nil)
    }

    @Test(arguments: ["2017-1-1", "2017-02-30", "01.02.2017", "2017-01-01T00:00:00Z", ""])
    func `what is no day is refused`(text: String) {
        #expect(Day(argument: text) == nil)
    }

    @Test(arguments: [
        ["--rate", "0"], ["--concurrency", "0"], ["--speed", "0"], ["--speed", "-1"], ["--speed", "inf"],
        ["--from", "2017-02-01", "--to", "2017-02-01"], ["--households", "9-1"], ["--nonsense"],
    ])
    func `a replay that makes no sense is refused with the code for usage`(arguments: [String]) {
        let error = #expect(throws: (any Error).self) { try ReplayCommand.Grocery.parse(["folder"] + arguments) }
        #expect(error.map { ClubCommand.exitCode(for: $0).rawValue } == CommandFailure.Code.usage.rawValue)
        #expect(error.map { ClubCommand.failure(for: $0) == nil } == true)
    }

    @Test(arguments: [[], ["list"], ["next", "a.b", "--count", "3"], ["run-now", "a.b", "--reason", "why"]])
    func `periodic jobs are listed unless something else is asked for`(arguments: [String]) throws {
        let command = try ClubCommand.parseAsRoot(["queue", "periodic"] + arguments)
        #expect((command is QueueCommand.Periodic.List) == (arguments.isEmpty || arguments == ["list"]))
    }

    @Test(arguments: [["pause"], ["pause", "tick"], ["next", "a.b", "--count", "0"], ["run-now", "A.b"]])
    func `what names no periodic job is refused with the code for usage`(arguments: [String]) {
        let error = #expect(throws: (any Error).self) {
            try ClubCommand.parseAsRoot(["queue", "periodic"] + arguments)
        }
        #expect(error.map { ClubCommand.exitCode(for: $0).rawValue } == CommandFailure.Code.usage.rawValue)
    }

    @Test func `every command has help, and the help lists every exit code`() throws {
        for command in ClubCommand.configuration.subcommands {
            #expect(!command.configuration.abstract.isEmpty, "\(command)")
        }
        let help = ClubCommand.helpMessage()
        for code in CommandFailure.Code.allCases {
            #expect(help.contains("\(code.rawValue) \(code.meaning.split(separator: " ")[0])"), "\(code)")
        }
    }

    @Test(
        arguments: [
            ("1234 — код для входа. Никому его не сообщайте.", "1234"), ("Код 654321 для баллов", "654321"),
            ("Скидка 20 % до 31.12.2026", "2026"), ("Без кода 12 345", nil), ("12345678901", nil),
        ] as [(String, String?)])
    func `a message's code is its first run of four to six digits`(text: String, code: String?) {
        #expect(SMSCommand.code(in: text) == code)
    }
}
