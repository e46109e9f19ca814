import Kernel
import NIOConcurrencyHelpers
import Postgres

/// Lots that expire by the million while the ledger serves 100 requests a second.
struct LedgerExpiryCase: Sendable {
    let world: World
    let sizes: LedgerOptions

    private static let database = "bench_ledger_expiry"
    private static let pace = 100
    private static let clients = 8
    private static let chunk: Int32 = 200
    /// Lots that each member has due.
    private static let lotsEach = 2

    /// Receipts, payments and looks at the balance.
    private static let requests = Load(
        "requests",
        Load.mixed.scripts + [
            (
                10,
                """
                \\set member random(1, :members)
                select available, held from ledger.member where member_id = md5(:member::text)::uuid;
                """
            )
        ])

    func run() async throws {
        let books = LedgerBooks(world: self.world, sizes: self.sizes)
        try await self.world.owner.execute("drop database if exists \(identifier: Self.database) with (force)")
        try await self.world.owner.execute("create database \(identifier: Self.database)")
        let owner = books.owner(of: Self.database)
        try await books.migrate(owner)
        let members = max(1, self.sizes.expiring / Self.lotsEach)
        self.world.report.progress("filling \(Self.database): \(self.sizes.expiring) lots that are due …")
        try await self.fill(owner, members: members)

        // How it is without the sweep, in the same minutes.
        let calm = try await self.serve(members: members, seconds: max(10, self.world.seconds))
        let (busy, seconds) = try await self.sweepWhileServing(owner, members: members)
        let left = try await owner.one(
            "select count(*) from ledger.lot where remaining > 0 and expires_at <= now()"
        ).value(at: 0, as: Int64.self)
        guard left == 0 else { throw Victim.Failed(description: "\(left) lots are due after the sweep") }
        try self.report(calm: calm, busy: busy, seconds: seconds, members: members)
        await owner.shutdown()
        try await self.world.owner.execute("drop database if exists \(identifier: Self.database) with (force)")
    }

    private func serve(members: Int, seconds: Int) async throws -> Load.Measured {
        try await self.world.pgbench(Self.database).measure(
            Self.requests, clients: Self.clients, seconds: seconds, variables: ["members": members], pace: Self.pace)
    }

    /// Serves in short stretches until the sweep is over; the worst stretch is what counts.
    private func sweepWhileServing(
        _ owner: Database, members: Int
    ) async throws -> (worst: Load.Measured, seconds: Double) {
        let isOver = NIOLockedValueBox(false)
        async let swept = self.sweep(owner, isOver)
        var worst = Load.Measured(rate: 0, p50: 0, p99: 0)
        repeat {
            let stretch = try await self.serve(members: members, seconds: 10)
            if stretch.p99 > worst.p99 { worst = stretch }
        } while !isOver.withLockedValue { $0 }
        return (worst, try await swept)
    }

    /// Chunk after chunk as the nightly job does it. Who is locked by a request is looked at again.
    private func sweep(_ owner: Database, _ isOver: NIOLockedValueBox<Bool>) async throws -> Double {
        defer { isOver.withLockedValue { $0 = true } }
        let clock = ContinuousClock()
        let start = clock.now
        while try await owner.one("select ledger.expiry_due(now())").value(at: 0, as: Int64.self) > 0 {
            var chunk = try await owner.first(
                "select last_expiry, last_member from ledger.expire_chunk(now(), \(Self.chunk))")
            while let done = chunk {
                let (expiry, member) = try done.decode(Timestamp.self, Member.ID.self)
                chunk = try await owner.first(
                    """
                    select last_expiry, last_member
                    from ledger.expire_chunk(now(), \(Self.chunk), \(expiry), \(member))
                    """)
            }
        }
        return (clock.now - start).inSeconds
    }

    private func fill(_ owner: Database, members: Int) async throws {
        try await owner.withConnection { session in
            for statement in LedgerHistory(members: members, regulars: members, each: Self.lotsEach).statements {
                try await session.execute(statement)
            }
            // The receipts' lots are due since an hour ago; the opening stays. Nobody may change that, so the owner
            // sets the guard aside for it.
            try await session.execute("alter table ledger.lot disable trigger user")
            try await session.execute(
                """
                update ledger.lot set expires_at = date_trunc('hour', now()) - make_interval(hours => number)
                where number > 1
                """)
            try await session.execute("alter table ledger.lot enable trigger user")
            try await session.execute("update ledger.member set next_expiry = now() - interval '1 day'")
            for table in ["member", "lot", "receipt", "transaction", "posting"] {
                try await session.execute("vacuum (analyze, freeze) ledger.\(identifier: table)")
            }
            try await session.execute("checkpoint")
        }
    }

    private func report(calm: Load.Measured, busy: Load.Measured, seconds: Double, members: Int) throws {
        let conditions = self.world.conditions.with([
            "lots": "\(members * Self.lotsEach)", "members": "\(members)", "chunk": "\(Self.chunk) members",
            "requests": "\(Self.pace)/s, open loop, \(Self.clients) clients: receipts, payments, balances",
        ])
        try self.world.report.add(
            Figure(
                "expiry", "expiring \(members * Self.lotsEach) lots while serving", seconds, "s",
                goal: .value(atMost: 300), conditions: conditions))
        try self.world.report.add(
            Figure(
                "expiry", "lots expired a second", Double(members * Self.lotsEach) / seconds, "lots/s",
                conditions: conditions))
        try self.world.report.add(
            Figure(
                "expiry", "requests meanwhile, p99 of the worst ten seconds", busy.p99, "ms", raw: calm.p99,
                rawName: "without the sweep", goal: .value(atMost: 100), conditions: conditions))
    }
}
