import Contracts
import Host
import JobQueue
import Kernel

extension PromotionsParts {
    /// Queues of this service.
    static let queues = [
        QueueDeclaration("promotions.directory", producers: ["auth"]),
        QueueDeclaration("promotions.events", gather: .milliseconds(100), producers: ["ledger"]),
        QueueDeclaration("promotions.calls"),
        // One at a time over all processes: two of the same kind would only share the work.
        QueueDeclaration(
            "promotions.upkeep", lease: .seconds(300), slots: 1, producers: ["promotions"], runningMax: 1),
    ]

    /// What this service hears.
    var handlers: [Handler] { self.directory + self.events + self.upkeep + self.calls }

    /// What it sends to itself.
    static var periodicJobs: [PeriodicJob] {
        get throws {
            [
                PeriodicJob(
                    "promotions.evaluate-levels", try .cron("0 2 1 * *", in: "Europe/Moscow"), send: EvaluateLevels()),
                PeriodicJob(
                    "promotions.look-at-prices", try .cron("15 * * * *", in: "Europe/Moscow"), send: LookAtPrices()),
                PeriodicJob(
                    "promotions.look-at-returns", try .cron("*/10 * * * *", in: "Europe/Moscow"), send: LookAtReturns()),
            ]
        }
    }

    private var directory: [Handler] {
        let (cards, keys, standings, erased) = (
            OnCardIssued(), OnTillKeyChanged(), OnStandingChanged(), OnMemberErased()
        )
        let birthdays = OnBirthdaySet()
        let (blocked, profiling) = (OnCardBlocked(), OnProfilingChanged())
        return [
            .batch(CardIssued.self, on: "promotions.directory") { jobs, transaction in
                try await cards(jobs, in: transaction)
            },
            .batch(CardBlocked.self, on: "promotions.directory") { jobs, transaction in
                try await blocked(jobs, in: transaction)
            },
            .batch(TillKeyChanged.self, on: "promotions.directory") { jobs, transaction in
                try await keys(jobs, in: transaction)
            },
            .endedSessions(of: PromotionsModule.name, on: "promotions.directory", clock: self.m.clock),
            .batch(BirthdaySet.self, on: "promotions.directory") { jobs, transaction in
                try await birthdays(jobs, in: transaction)
            },
            .batch(ProfilingChanged.self, on: "promotions.directory") { jobs, transaction in
                try await profiling(jobs, in: transaction)
            },
            .batch(StandingChanged.self, on: "promotions.directory") { jobs, transaction in
                try await standings(jobs, in: transaction)
            },
            .batch(MemberErased.self, on: "promotions.directory") { jobs, transaction in
                try await erased(jobs, in: transaction)
            },
        ]
    }

    private var events: [Handler] {
        let (points, transfers) = (OnPointsEarned(settle: self.settleReturns), OnTransferDone(takeBack: self.takeBack))
        return [
            .batch(PointsEarned.self, on: "promotions.events") { jobs, transaction in
                try await points(jobs, in: transaction)
            },
            .batch(TransferDone.self, on: "promotions.events") { jobs, transaction in
                try await transfers(jobs, in: transaction)
            },
        ]
    }

    private var upkeep: [Handler] {
        [
            .leased(EvaluateLevels.self) { _, job in
                try await self.judgeLevels { try await job.extend(by: .seconds(300)) }
            },
            .leased(LookAtReturns.self) { _, job in
                let settled = try await self.sweepReturns { try await job.extend(by: .seconds(300)) }
                await job.report(JobProgress(done: Int64(settled), note: "returns settled"))
            },
            .leased(LookAtPrices.self) { _, job in
                let told = try await self.watchPrices()
                await job.report(JobProgress(done: Int64(told), note: "members told"))
            },
        ]
    }

    private var calls: [Handler] {
        let explain = OnExplainReceipt()
        return [
            .reply(ExplainReceipt.self) { call, _, transaction in try await explain(call, in: transaction) }
        ]
    }
}
