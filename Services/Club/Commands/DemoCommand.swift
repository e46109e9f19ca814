import ArgumentParser
import AsyncHTTPClient
import Web

/// `club demo …`
struct DemoCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "demo", abstract: "Make demo data, and walk through everything that a member can do with them.",
        subcommands: [Make.self, Tour.self, Token.self], defaultSubcommand: Make.self)
}

extension DemoCommand {
    struct Make: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "Make shops, offers, members, colleagues, campaigns, partners, a till's key, receipts.",
            discussion: """
                Everything goes the way that real data go: members through auth, receipts through the tills' interface, \
                campaigns by one colleague with another one's approval. Running it again changes nothing. The partners of \
                the exchange are simulated by `club up --demo`.
                """)

        @OptionGroup var system: SystemOptions
        @OptionGroup var output: OutputOptions

        func run() async throws {
            let summary = try await Demo.make(in: self.system.folder)
            try self.output.output.result(summary, text: summary.text)
        }
    }

    struct Tour: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "Walk through the programme's features over HTTP, row by row, with a new member.",
            discussion: """
                Prints each row of the programme's list: its number, its words, the requests, and what the answers say. \
                Row 55, the online supermarket, comes later. Exits with 1 when a row fails.
                """)

        @OptionGroup var system: SystemOptions
        @OptionGroup var output: OutputOptions
        @Option(name: .customLong("row"), help: ArgumentHelp("Only this row; may be repeated.", valueName: "n"))
        var numbers: [Int] = []

        func validate() throws {
            let known = Set(TourRow.all.map(\.number))
            for number in self.numbers where !known.contains(number) {
                throw ValidationError("There is no row \(number): they are 1 to 65, without 55.")
            }
        }

        func run() async throws {
            let rows = TourRow.all.filter { self.numbers.isEmpty || self.numbers.contains($0.number) }
            let output = self.output.output
            let report = try await DemoTour(folder: self.system.folder, rows: rows).run { section in
                output.line(section.text(inColour: output.isTerminal))
            }
            try output.result(report, text: report.verdict)
            guard report.failed == 0 else {
                throw CommandFailure(.checkFailed, "\(report.failed) of \(report.rows.count) rows failed.")
            }
        }
    }

    struct Token: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "Log a colleague of the demo in and print the access token, good for ten minutes.")

        @OptionGroup var system: SystemOptions
        @OptionGroup var output: OutputOptions
        @Argument(help: "The colleague's role.")
        var role: StaffRole

        func run() async throws {
            let folder = self.system.folder
            let token = try await OperatorSession.run(in: folder) { session in
                try await HTTPClient.withClient { http in
                    try await DemoColleagues(folder).token(self.role, ProgrammeClient(session.state, http: http))
                }
            }
            try self.output.output.result(["token": token], text: token)
        }
    }
}
