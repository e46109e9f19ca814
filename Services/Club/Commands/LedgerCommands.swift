import ArgumentParser
import Kernel
import Ledger

/// `club ledger …`
struct LedgerCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "ledger", abstract: "Look into the books.",
        subcommands: [
            Verify.self, Balances.self, Proof.self, CheckProof.self, Keys.self, StatementOf.self, Months.self,
            Reconcile.self,
        ])
}

extension LedgerCommand {
    struct Verify: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "Check every invariant of the ledger.",
            discussion: """
                Looks at all of the books in one snapshot while the services go on working, and recomputes every sealed \
                block. Says nothing and exits with 0 when they are right; else prints the first wrong row of each broken \
                invariant and exits with 1.
                """)

        @OptionGroup var system: SystemOptions
        @OptionGroup var output: OutputOptions

        func run() async throws {
            let findings = try await OperatorSession.run(in: self.system.folder) { session in
                let bar = ProgressBar("Invariants", total: Invariant.allCases.count)
                let seals = ProgressBar("Sealed transactions", total: 0)
                defer { seals.finish() }
                return try await VerifyLedger(database: session.database, clock: SystemClock())(progress: { progress in
                    switch progress {
                    case .begins: bar.advance()
                    case .recomputed(let done, let total): seals.reach(Int(done), of: Int(total))
                    }
                })
            }
            let output = self.output.output
            if output.isJSON || !findings.isEmpty {
                try output.result(findings, Self.table(findings))
            }
            guard findings.isEmpty else {
                throw CommandFailure(.checkFailed, "The ledger breaks \(findings.count) of its invariants.")
            }
        }

        static func table(_ findings: [Finding]) -> Table {
            Table(
                [.text("INVARIANT"), .text("ROW"), .text("WHAT IS WRONG"), .text("RULE")],
                rows: findings.map { [$0.invariant.rawValue, $0.row, $0.difference, $0.invariant.meaning] })
        }
    }

    struct Balances: AsyncParsableCommand {
        /// What a balance is listed by.
        enum Key: String, CaseIterable, ExpressibleByArgument {
            case household
            case member
            case card
        }

        static let configuration = CommandConfiguration(
            abstract: "List the available points, an id and its points a line, sorted.",
            discussion: """
                By household lists the members that `club replay grocery` registered, by the number of their household; \
                by member and by card list everybody.
                """)

        @OptionGroup var system: SystemOptions
        @OptionGroup var output: OutputOptions
        @Option(help: "What stands before the points: household, member or card.")
        var by = Key.member
        @Flag(help: "Id, tab, points, without headings, on a terminal as well.")
        var plain = false

        /// A line of the list.
        struct Line: Encodable, Equatable {
            let id: String
            let available: Points
        }

        func run() async throws {
            let lines = try await OperatorSession.run(in: self.system.folder) { session in
                try await BalanceList(session: session).lines(by: self.by)
            }
            let output = self.output.output
            if self.plain && !output.isJSON {
                for line in lines { output.line("\(line.id)\t\(line.available.amount)") }
            } else {
                let columns = [Table.Column.text(self.by.rawValue.uppercased()), .number("AVAILABLE")]
                try output.result(lines, Table(columns, rows: lines.map { [$0.id, "\($0.available.amount)"] }))
            }
        }
    }
}
