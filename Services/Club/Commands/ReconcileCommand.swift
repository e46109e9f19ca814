import ArgumentParser
import Kernel
import Ledger

extension LedgerCommand {
    struct Reconcile: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "Compare a list of balances or receipts with the books.",
            discussion: """
                The file is CSV whose first line names its columns: member,available for balances; fn,fd,fpd and, as far as \
                known, total (kopecks) and points for receipts. Lists what is missing in the books, what is missing in the \
                file, and what differs. Exits with 0 when there is nothing to list, else with 1.
                """)

        @OptionGroup var system: SystemOptions
        @OptionGroup var output: OutputOptions
        @Argument(help: "The CSV file.")
        var file: String

        func run() async throws {
            let list = try StatedList(ImportCommand.read(self.file), name: self.file)
            let found = try await OperatorSession.run(in: self.system.folder) { session in
                let bar = ProgressBar("Lines", total: list.count)
                defer { bar.finish() }
                let reconcile = ReconcileBooks(database: session.database, clock: SystemClock())
                switch list {
                case .balances(let balances):
                    return try await reconcile(balances) { bar.reach($0, of: list.count) }
                case .receipts(let receipts):
                    return try await reconcile(receipts) { bar.reach($0, of: list.count) }
                }
            }
            let output = self.output.output
            if output.isJSON || !found.isEmpty { try output.result(found, Self.table(found)) }
            guard found.isEmpty else {
                throw CommandFailure(.checkFailed, "The file and the books disagree in \(found.count) places.")
            }
        }

        static func table(_ found: [Discrepancy]) -> Table {
            Table(
                [.text("KIND"), .text("SUBJECT"), .text("FILE"), .text("BOOKS")],
                rows: found.map { [$0.kind.rawValue, $0.subject, $0.file, $0.books] })
        }
    }
}
