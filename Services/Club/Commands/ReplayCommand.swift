import ArgumentParser
import AsyncHTTPClient
import Contracts
import FoundationEssentials
import Glibc
import Kernel
import Promotions

/// `club replay …`
struct ReplayCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "replay", abstract: "Play real receipts into a running system.", subcommands: [Grocery.self])
}

extension ReplayCommand {
    struct Grocery: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "Play the Complete Journey, a year of a grocer's receipts, through the tills' interface.",
            discussion: """
                DIR holds transactions.csv.gz and products.csv.gz. A household becomes a member with a card, registered \
                with auth when it is none yet; a basket becomes a receipt, whose fiscal triple is derived from its store \
                and number; a line's kopecks are round(sales_value x 100) x rate; times are taken as they are, in UTC. \
                Receipts are posted over HTTP with a till's key, again and again until there is an answer, so that \
                services and the database may be killed in the middle. At the end the command waits until the ledger has \
                posted everything.

                No category of the American data maps to an excluded one: all lines earn.

                A second run changes nothing and says so. Exits with 1 when receipts were refused.
                """)

        @OptionGroup var system: SystemOptions
        @OptionGroup var output: OutputOptions
        @Argument(help: ArgumentHelp("The folder with the data.", valueName: "dir"))
        var folder: String
        @Option(help: ArgumentHelp("Only these households, for example 1-600.", valueName: "lo-hi"))
        var households: HouseholdRange?
        @Option(
            name: .customLong("from"),
            help: ArgumentHelp("From this day on, for example 2017-01-01.", valueName: "date"))
        var start: Day?
        @Option(
            name: .customLong("to"), help: ArgumentHelp("Until the midnight that begins this day.", valueName: "date"))
        var end: Day?
        @Option(help: "Kopecks for a cent: roubles for a dollar.")
        var rate: Int64 = 60
        @Option(help: "Receipts under way at a time.")
        var concurrency = 16
        @Option(help: "Keep the receipts' distances in time, so many times faster; else as fast as possible.")
        var speed: Double?
        @Flag(help: "Do not ask first.")
        var yes = false

        func validate() throws {
            guard 1...1_000_000 ~= self.rate else { throw ValidationError("--rate is 1 to 1000000.") }
            guard 1...256 ~= self.concurrency else { throw ValidationError("--concurrency is 1 to 256.") }
            if let speed, !(speed > 0 && speed.isFinite) { throw ValidationError("--speed is above 0.") }
            if let start, let end, start.midnight >= end.midnight { throw ValidationError("--from is before --to.") }
        }

        func run() async throws {
            let state = try RemoteSystem()?.state() ?? self.system.folder.requireRunning()
            let data = GroceryData(folder: self.folder)
            let receipts = try await data.receipts(self.options.selection)
            guard self.yes || Self.confirms(receipts, folder: self.system.folder) else {
                throw CommandFailure(.usage, "Nothing was done.")
            }
            let summary = try await self.play(receipts, of: data, promotions: state.url(of: PromotionsModule.name))
            try self.output.output.result(summary, summary.table)
            guard summary.errors == 0 else {
                throw CommandFailure(.checkFailed, "\(summary.errors) receipts were refused.")
            }
        }

        var options: GroceryReplay.Options {
            GroceryReplay.Options(
                selection: .init(
                    households: self.households?.range, from: self.start?.midnight, to: self.end?.midnight),
                rate: self.rate, concurrency: self.concurrency, speed: self.speed)
        }

        private func play(
            _ receipts: [GroceryReceipt], of data: GroceryData, promotions url: String
        ) async throws -> ReplaySummary {
            try await OperatorSession.run(in: self.system.folder) { session in
                try await BusSession.run(session) { bus in
                    let retries = Retries()
                    let key = try await TillKeys(session: session, bus: bus).importKey()
                    return try await HTTPClient.withClient(connections: self.concurrency) { http in
                        let replay = GroceryReplay(
                            data: data, options: self.options, members: MemberDirectory(bus: bus, retries: retries),
                            imports: GroceryImport(database: session.database, retries: retries),
                            till: TillClient(http: http, url: url, key: key, retries: retries),
                            ledger: LedgerDrain(database: session.database, retries: retries))
                        return try await replay(receipts)
                    }
                }
            }
        }

        /// Asks the person at the terminal, if there is one.
        private static func confirms(_ receipts: [GroceryReceipt], folder: SystemFolder) -> Bool {
            guard isatty(STDIN_FILENO) == 1, isatty(STDERR_FILENO) == 1 else { return true }
            let households = Set(receipts.map(\.household)).count
            Output.write(
                "Post \(receipts.count) receipts of \(households) households into \(folder.path)? [y/N] ",
                to: STDERR_FILENO)
            return readLine().map { ["y", "yes"].contains($0.lowercased()) } ?? false
        }
    }
}

/// `1-600`, or one number.
struct HouseholdRange: ExpressibleByArgument, Equatable {
    let range: ClosedRange<Int64>

    init?(argument: String) {
        let parts = argument.split(separator: "-", omittingEmptySubsequences: false)
        guard 1...2 ~= parts.count, let low = DecimalText.whole(parts[0].utf8),
            let high = DecimalText.whole(parts[parts.count - 1].utf8), low <= high
        else { return nil }
        self.range = low...high
    }
}

/// `2017-01-31`, a day of UTC.
struct Day: ExpressibleByArgument, Equatable {
    /// The moment that begins it.
    let midnight: Timestamp

    init?(argument: String) {
        guard argument.utf8.count == 10, let midnight = Timestamp("\(argument)T00:00:00Z") else { return nil }
        self.midnight = midnight
    }
}
