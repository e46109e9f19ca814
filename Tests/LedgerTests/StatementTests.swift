import Contracts
import FoundationEssentials
import Kernel
import Postgres
import Subprocess
import TestSupport
import Testing

@testable import Ledger

@Suite(.ledger) struct StatementTests {
    /// A receipt, a hold and a capture on three days of March.
    private static func lively() async throws -> (Books, Member.ID) {
        let books = try await Books()
        let member = books.member()
        try await books.earn(1200, for: member)
        books.clock.advance(by: .seconds(86_400))
        let hold: Hold.ID = books.ids.next()
        try await books.place(hold, 500, for: member)
        books.clock.advance(by: .seconds(60))
        try await books.capture(hold, 300, of: member)
        return (books, member)
    }

    @Test func `the lines lead from the opening to the closing balance, over every period`() async throws {
        let (books, member) = try await Self.lively()
        let end = books.clock.now
        let whole = try await books.statement(of: member)
        #expect(whole.isConsistent)
        #expect([whole.opening.available, whole.came, whole.went, whole.closing.available] == [0, 1400, -500, 900])
        let moments = whole.lines.map(\.recordedAt) + [end - .seconds(400 * 86_400), end + .seconds(1)]
        for from in moments {
            for to in moments where from <= to {
                let part = try await books.statement(of: member, from: from, to: to)
                #expect(part.isConsistent)
                #expect(part.lines.allSatisfy { from <= $0.recordedAt && $0.recordedAt < to })
            }
        }
        let second = try await books.statement(of: member, from: whole.lines[1].recordedAt)
        #expect(second.count == 2)
        #expect(second.opening.available == 1200)
    }

    @Test func `nobody's statement is empty and in order`() async throws {
        let books = try await Books()
        let statement = try await books.statement(of: books.member())
        #expect(statement.isConsistent)
        #expect(statement.count == 0)
        #expect(statement.pages.count == 1)
    }

    @Test func `as CSV it is rows of eleven fields between the opening and the closing balance`() async throws {
        let (books, member) = try await Self.lively()
        let csv = try await books.statement(of: member).csv
        let rows = csv.split(separator: "\r\n").map { $0.split(separator: ",", omittingEmptySubsequences: false) }
        #expect(rows.allSatisfy { $0.count == 11 })
        #expect(rows.map { $0[3] } == ["kind", "opening", "earn", "hold", "capture", "closing"])
        #expect(rows.dropFirst().map { $0[6] } == ["0", "1200", "700", "900", "900"])
        #expect(rows[2][7] == "moscow-1")
        #expect(rows[2][8] == "123400")
        #expect(rows[3][5] == "-500")
        #expect(csv.hasSuffix("\r\n"))
    }

    @Test func `a text that a spreadsheet would calculate, or that has commas and quotes, stays a text`() throws {
        let moment = ManualClock().now
        let zero = PastBalance(available: 0, pending: 0, held: 0, debt: 0)
        func field(_ store: String) throws -> String {
            let receipt = FeedReceipt(id: Identifier(UUID()), store: store, total: .zero)
            let line = FeedLine(
                id: Identifier(UUID()), version: 1, kind: .earn, effectiveAt: moment, recordedAt: moment,
                points: .zero, change: 0, availableAfter: .zero, receipt: receipt, hold: nil, movements: [])
            let statement = Statement(
                member: Identifier(UUID()), from: moment, to: moment, opening: zero, closing: zero, lines: [line])
            let row = try #require(statement.csv.split(separator: "\r\n").dropFirst(2).first)
            return String(
                row.dropFirst(try #require(row.firstRange(of: "earn,0,0,0,")).upperBound.utf16Offset(in: row)))
        }
        #expect(try field("=1+1").hasPrefix("'=1+1,"))
        #expect(try field("@x").hasPrefix("'@x,"))
        #expect(try field("a,b").hasPrefix("\"a,b\","))
        #expect(try field("a\"b").hasPrefix("\"a\"\"b\","))
        #expect(try field("-5").hasPrefix("-5,"))
    }

    @Test func `pages are Russian, in Moscow's time, and break after 36 lines`() async throws {
        let books = try await Books(ManualClock(try #require(Timestamp("2026-03-01T21:30:00Z"))))
        let member = books.member()
        try await books.post(try (0..<73).map { _ in try books.receipt(of: member, [.of(1000)]) })
        let pages = try await books.statement(of: member).pages
        #expect(pages.count == 3)
        #expect(pages[0].contains("Страница 1 из 3"))
        #expect(pages[2].contains("02.03.2026 00:30"))
        #expect(pages[0].contains("+1\u{A0}000"))
        #expect(pages[2].contains("73\u{A0}000"))
        #expect(pages.map { $0.split(separator: "Начисление").count - 1 } == [36, 36, 1])
    }

    @Test(.enabled(if: Self.isInstalled("rsvg-convert") && Self.isInstalled("pdftotext")))
    func `the PDF has the pages, and its Cyrillic letters are letters`() async throws {
        let (books, member) = try await Self.lively()
        let pdf = try await PDFPrinter()(try await books.statement(of: member).pages)
        #expect(pdf.starts(with: Array("%PDF-".utf8)))
        let text = try await Subprocess.run(
            .name("pdftotext"), arguments: ["-layout", "-", "-"], input: .array(pdf), output: .string(limit: 1 << 20),
            error: .discarded)
        #expect(text.standardOutput.contains("Выписка по счёту баллов"))
        #expect(text.standardOutput.contains("Начисление"))
    }

    @Test func `without the program there is a sentence, and so when the program fails`() async throws {
        await #expect(throws: PDFPrinter.Failure.notInstalled) {
            try await PDFPrinter(program: "no-such-program")(["<svg/>"])
        }
        let failure = await #expect(throws: PDFPrinter.Failure.self) {
            try await PDFPrinter(program: "false")(["<svg/>"])
        }
        #expect(failure == .failed(""))
    }

    /// deploy/test installs them where it may; nothing else needs them.
    private static func isInstalled(_ program: String) -> Bool {
        let path = ProcessInfo.processInfo.environment["PATH"] ?? ""
        return path.split(separator: ":").contains { FileManager.default.isExecutableFile(atPath: "\($0)/\(program)") }
    }
}
