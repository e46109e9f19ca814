import ArgumentParser

/// Which ledgers are measured.
struct LedgerOptions: ParsableArguments {
    @Option(parsing: .upToNextOption, help: "How many members take part, one size after another.")
    var members: [Int] = [10, 1000, 1_000_000]

    @Option(
        parsing: .upToNextOption,
        help: "How many postings are in the tables beside an opening lot for each member, one size after another.")
    var postings: [Int] = [0, 20_000_000]

    @Option(parsing: .upToNextOption, help: "How many clients, one number after another.")
    var clients: [Int] = [1, 8, 32]

    @Option(help: "How many lots expire at once.")
    var expiring = 1_000_000

    func validate() throws {
        let counts = self.members + self.clients + [self.expiring]
        guard counts.allSatisfy({ $0 >= 1 }), self.postings.allSatisfy({ $0 >= 0 }), !self.members.isEmpty,
            !self.postings.isEmpty, !self.clients.isEmpty
        else { throw ValidationError("Sizes begin at 1, postings at 0.") }
    }

    /// The most members that take part.
    var population: Int { self.members.max() ?? 1 }
}

struct LedgerTargets: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "ledger", abstract: "Measure the ledger beside pgbench's TPC-B on the same cluster.",
        discussion: """
            Everything with the sizes of the target takes an hour, a quarter of it to load 20 million postings: with --keep \
            they are loaded once (--only fill). A look: --members 1000 --postings 0 100000 --clients 8 --expiring 20000 \
            --rounds 1.
            """)

    @OptionGroup var options: MeasureOptions
    @OptionGroup var sizes: LedgerOptions

    func run() async throws { try await self.options.run(Case.ledger(self.sizes)) }
}

extension Case {
    /// The ledger's targets.
    static func ledger(_ sizes: LedgerOptions) -> [Case] {
        [
            Case("fill", "the ledgers that the other cases use") { world in
                for postings in sizes.postings {
                    _ = try await LedgerBooks(world: world, sizes: sizes).database(postings: postings)
                }
            },
            Case("alone", "earning, spending and both, one by one") { world in
                try await LedgerRates(world: world, sizes: sizes).alone()
            },
            Case("batch", "the same, many in one call") { world in
                try await LedgerRates(world: world, sizes: sizes).batches()
            },
            Case("hot", "one member against many") { world in
                try await LedgerRates(world: world, sizes: sizes).hotMember()
            },
            Case("bus", "receipts as jobs on the bus, in batches") { world in
                try await LedgerBusCase(world: world, sizes: sizes).run()
            },
            Case("cost", "what a receipt and a payment cost the server") { world in
                try await LedgerCostCase(world: world, sizes: sizes).run()
            },
            Case("expiry", "expiring lots while requests are served") { world in
                try await LedgerExpiryCase(world: world, sizes: sizes).run()
            },
        ]
    }
}
