import Postgres

/// How fast the ledger is, in turn with TPC-B (A B C D A B C D …).
struct LedgerRates: Sendable {
    let world: World
    let sizes: LedgerOptions

    private var books: LedgerBooks { LedgerBooks(world: self.world, sizes: self.sizes) }

    /// One of what is measured in turn.
    private struct Entry {
        let name: String
        let measure: () async throws -> Load.Measured
    }

    /// One by one, against TPC-B with as many clients.
    func alone() async throws {
        try await self.rates(
            "alone", [.earn, .spend, .mixed], goal: 1, opponents: { $0 }, unit: "/s",
            note: "one operation a statement; a payment is a hold and a capture, two transactions")
    }

    /// Through one call of many, against TPC-B with 8 clients.
    func batches() async throws {
        try await self.rates(
            "batch", [.earnBatch, .spendBatch, .mixedBatch], goal: 5, opponents: { _ in 8 }, unit: "transfers/s",
            note: "500 transfers a statement; a hold and a capture are two")
    }

    private func rates(
        _ target: String, _ loads: [Load], goal: Double, opponents: (Int) -> Int, unit: String, note: String
    ) async throws {
        let tpcb = try await self.books.tpcb()
        for members in self.sizes.members {
            for clients in self.sizes.clients {
                let opponents = opponents(clients)
                var entries = [
                    Entry(name: "TPC-B") {
                        try await tpcb.measureTPCB(clients: opponents, seconds: self.world.seconds)
                    }
                ]
                for postings in self.sizes.postings {
                    for load in loads {
                        entries.append(
                            try await self.entry(load, clients: clients, members: members, postings: postings))
                    }
                }
                let found = try await self.inTurn(entries)
                try self.report(
                    target, loads.map(\.name), found, goal: goal, unit: unit,
                    conditions: self.world.conditions.with([
                        "clients": "\(clients)", "members": "\(members)", "operation": note,
                        "raw clients": "\(opponents)",
                    ]))
            }
        }
    }

    private func entry(_ load: Load, clients: Int, members: Int, postings: Int) async throws -> Entry {
        let pgbench = self.world.pgbench(try await self.books.database(postings: postings))
        return Entry(name: load.name) {
            try await pgbench.measure(
                load, clients: clients, seconds: self.world.seconds, variables: ["members": members])
        }
    }

    private func inTurn(_ entries: [Entry]) async throws -> [Load.Measured] {
        var found = [[Load.Measured]](repeating: [], count: entries.count)
        for _ in 0..<self.world.rounds {
            for (index, entry) in entries.enumerated() { found[index].append(try await entry.measure()) }
        }
        return found.map(\.median)
    }

    /// The first of `found` is TPC-B; then the loads on each ledger, the emptiest first.
    private func report(
        _ target: String, _ loads: [String], _ found: [Load.Measured], goal: Double, unit: String,
        conditions: Conditions
    ) throws {
        let (clients, members) = (conditions.notes["clients"] ?? "", conditions.notes["members"] ?? "")
        for (place, postings) in self.sizes.postings.enumerated() {
            for (index, load) in loads.enumerated() {
                let measured = found[1 + place * loads.count + index]
                let name = "\(load), \(clients) clients, \(members) members, \(postings) postings"
                let conditions = conditions.with(["postings": "\(postings)"])
                try self.world.report.add(
                    Figure(
                        target, name, measured.rate, unit, raw: found[0].rate,
                        rawName: "TPC-B -c \(conditions.notes["raw clients"] ?? "")", goal: .ratio(atLeast: goal),
                        conditions: conditions))
                for (share, value) in [("p50", measured.p50), ("p99", measured.p99)] {
                    try self.world.report.add(
                        Figure(
                            target, "\(name): \(share)", value, "ms", raw: share == "p50" ? found[0].p50 : found[0].p99,
                            rawName: "TPC-B", conditions: conditions))
                }
                guard place > 0 else { continue }
                try self.world.report.add(
                    Figure(
                        target, "\(name), against \(self.sizes.postings[0]) postings", measured.rate, unit,
                        raw: found[1 + index].rate, rawName: "\(self.sizes.postings[0]) postings",
                        goal: .ratio(atLeast: 0.9), conditions: conditions))
            }
        }
    }

    /// One member whom everybody wants, against a thousand.
    func hotMember() async throws {
        let many = 1000
        let books = LedgerBooks(world: self.world, sizes: self.sizes)
        let postings = self.sizes.postings[0]
        _ = try await books.database(postings: postings)
        let most = min(many, self.sizes.population)
        for (way, loads) in [("alone", [Load.earn, .spend]), ("batch", [Load.earnBatch, .spendBatch])] {
            var entries: [Entry] = []
            for load in loads {
                for members in [most, 1] {
                    entries.append(try await self.entry(load, clients: 8, members: members, postings: postings))
                }
            }
            let found = try await self.inTurn(entries)
            let conditions = self.world.conditions.with(["clients": "8", "way": way])
            for (index, load) in loads.enumerated() {
                let (those, hot) = (found[2 * index], found[2 * index + 1])
                try self.world.report.add(
                    Figure(
                        "hot", "\(load.name), \(way), everything for one member", hot.rate, "/s", raw: those.rate,
                        rawName: "\(most) members", goal: .ratio(atLeast: 0.4), conditions: conditions))
                try self.world.report.add(
                    Figure(
                        "hot", "\(load.name), \(way), everything for one member: p99", hot.p99, "ms", raw: those.p99,
                        rawName: "\(most) members", conditions: conditions))
            }
        }
    }
}
