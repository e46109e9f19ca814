import ArgumentParser
import FoundationEssentials
import Kernel
import Ledger

extension LedgerCommand {
    struct StatementOf: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            commandName: "statement",
            abstract: "Print a member's statement over a period.",
            discussion: """
                CSV on standard output, or into files: --csv FILE, --pdf FILE (which needs rsvg-convert of librsvg). The \
                period is one of the time of recording; days are Moscow's, and the last one belongs to it.
                """)

        @OptionGroup var system: SystemOptions
        @Argument(help: "The member.")
        var member: Member.ID
        @Option(help: "The first day (2026-03-01) or moment (2026-03-01T09:00:00Z).")
        var from: PeriodEdge?
        @Option(help: "The last day, or the moment with which it ends.")
        var to: PeriodEdge?
        @Option(help: "Write the CSV into this file.")
        var csv: String?
        @Option(help: "Write a PDF into this file.")
        var pdf: String?

        func run() async throws {
            let statement = try await OperatorSession.run(in: self.system.folder) { session in
                do {
                    return try await MakeStatement(database: session.database, clock: SystemClock())(
                        of: self.member, from: self.from?.begins, to: self.to?.ends)
                } catch let error as StatementTooLong {
                    throw CommandFailure(
                        .usage, "There are more than \(error.limit) lines: choose a shorter period by --from and --to.")
                }
            }
            if let pdf { try Self.write(try await Self.printed(statement), to: pdf) }
            if let csv { try Self.write(Array(statement.csv.utf8), to: csv) }
            if self.pdf == nil && self.csv == nil { Output.text(statement.csv) }
        }

        private static func printed(_ statement: Statement) async throws -> [UInt8] {
            do {
                return try await PDFPrinter()(statement.pages)
            } catch PDFPrinter.Failure.notInstalled {
                throw CommandFailure(
                    .unavailable,
                    "rsvg-convert is needed for PDF: install librsvg2-bin (Debian) or librsvg2-tools (Fedora).")
            } catch PDFPrinter.Failure.failed(let words) {
                throw CommandFailure(.software, "rsvg-convert failed: \(words)")
            }
        }

        private static func write(_ bytes: [UInt8], to file: String) throws {
            guard FileManager.default.createFile(atPath: file, contents: Data(bytes)) else {
                throw CommandFailure(.cannotCreate, "\(file) cannot be written.")
            }
        }
    }
}

extension LedgerCommand {
    struct Months: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "List the closed months: what all members together had at the end of each.",
            discussion: "A month ends at Moscow's midnight and is closed an hour later.")

        @OptionGroup var system: SystemOptions
        @OptionGroup var output: OutputOptions

        func run() async throws {
            let months = try await OperatorSession.run(in: self.system.folder) { session in
                try await ListMonths(database: session.database)()
            }
            let columns: [Table.Column] = [
                .text("MONTH"), .number("MEMBERS"), .number("AVAILABLE"), .number("PENDING"), .number("HELD"),
                .number("DEBT"), .text("CLOSED"),
            ]
            let rows = months.map { month in
                let sums = [month.members, month.available, month.pending, month.held, month.debt]
                return [month.month] + sums.map(String.init) + [month.closedAt.description]
            }
            try self.output.output.result(months, Table(columns, rows: rows))
        }
    }
}

/// A day of Moscow's, or a moment.
struct PeriodEdge: ExpressibleByArgument, Equatable {
    /// Where a period begins that begins with it.
    let begins: Timestamp
    /// Where a period ends that ends with it.
    let ends: Timestamp

    init?(argument: String) {
        if let moment = Timestamp(argument) {
            (self.begins, self.ends) = (moment, moment)
        } else if let midnight = Timestamp("\(argument)T00:00:00+03:00") {
            // Moscow has been three hours ahead of UTC since 2014, before the programme began.
            (self.begins, self.ends) = (midnight, midnight + .seconds(86_400))
        } else {
            return nil
        }
    }
}
