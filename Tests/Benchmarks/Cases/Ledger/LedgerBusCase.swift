import Contracts
import Postgres

/// Receipts as jobs on the bus: taken 500 at a time, posted and told of in one transaction with their completion.
struct LedgerBusCase: Sendable {
    let world: World
    let sizes: LedgerOptions

    /// Enough for ten seconds of the machine that this was written on.
    private static let jobs = 30_000

    func run() async throws {
        let books = LedgerBooks(world: self.world, sizes: self.sizes)
        let tpcb = try await books.tpcb()
        for members in self.sizes.members {
            for postings in self.sizes.postings {
                let name = try await books.database(postings: postings)
                var (receipts, transfers, raw) = ([Double](), [Double](), [Double]())
                try await LedgerService.with(books, database: name, members: members) { service in
                    // The first batches meet cold caches and unplanned statements.
                    _ = try await service.burn(try service.receipts(2000))
                }
                for _ in 0..<self.world.rounds {
                    raw.append(try await tpcb.measureTPCB(clients: 8, seconds: self.world.seconds).rate)
                    let seconds = try await LedgerService.with(books, database: name, members: members) { service in
                        (
                            try await service.burn(try service.receipts(Self.jobs)),
                            try await service.burn(try service.transfers(Self.jobs))
                        )
                    }
                    receipts.append(Double(Self.jobs) / seconds.0)
                    transfers.append(Double(Self.jobs) / seconds.1)
                }
                for (what, rates) in [("receipts", receipts), ("receipts and holds as transfers", transfers)] {
                    try self.world.report.add(
                        Figure(
                            "bus", "\(what) through the bus, \(members) members, \(postings) postings", rates.median,
                            "/s", raw: raw.median, rawName: "TPC-B -c 8", goal: .ratio(atLeast: 5),
                            conditions: self.world.conditions.with([
                                "jobs": "\(Self.jobs), waiting", "batch": "500", "members": "\(members)",
                                "postings": "\(postings)", "each": "claimed, posted, told of and completed",
                            ])))
                }
            }
        }
    }
}
