import Contracts
import Host
import JobQueue
import Kernel
import Redemption

/// Do what is due of an exchange. Sent by partners-exchange to itself.
struct DriveExchange: RedemptionDrive {
    static let name = "partners_exchange.drive-exchange"
    static let queue: QueueName = "partners_exchange.drive"

    let member: Member.ID
    let redemption: RedemptionRecord.ID
}

/// Wake exchanges whose duty is overdue.
struct SweepExchanges: Command {
    static let name = "partners_exchange.sweep-exchanges"
    static let queue: QueueName = "partners_exchange.rounds"
}

/// Compare what we have with the ledger's clearing accounts.
struct ReconcilePartners: Command {
    static let name = "partners_exchange.reconcile-partners"
    static let queue: QueueName = "partners_exchange.rounds"
}

/// What partners-exchange hears, from itself and from auth.
struct ExchangeHandlers: Sendable {
    /// A partner may be slow: a job lives longer than its answer is waited for.
    static let queues = [
        QueueDeclaration(DriveExchange.queue, lease: .seconds(120), producers: ["partners_exchange"]),
        QueueDeclaration(
            SweepExchanges.queue, lease: .seconds(300), slots: 1, producers: ["partners_exchange"], runningMax: 1),
        QueueDeclaration("partners_exchange.members", producers: ["auth"]),
    ]

    let flow: RedemptionFlow
    let reconcile: ReconcileClearing
    let clock: any WallClock
    private let links = LinkStore()

    init(flow: RedemptionFlow, reconcile: ReconcileClearing, clock: any WallClock) {
        (self.flow, self.reconcile, self.clock) = (flow, reconcile, clock)
    }

    var all: [Handler] {
        [
            self.flow.handler(of: DriveExchange.self),
            .leased(SweepExchanges.self) { _, _ in _ = try await self.flow.sweep() },
            .leased(ReconcilePartners.self) { _, _ in try await self.reconcile() },
            .batch(MemberErased.self, on: "partners_exchange.members") { jobs, transaction in
                for job in jobs { try await self.links.erase(job.message.member, in: transaction) }
            },
            .endedSessions(of: PartnersExchangeModule.name, on: "partners_exchange.members", clock: self.clock),
        ]
    }

    /// Every half minute what was lost; at five in Moscow the clearing accounts.
    static var periodic: [PeriodicJob] {
        get throws {
            [
                PeriodicJob(
                    "partners_exchange.sweep-exchanges", try .every(.seconds(30)), send: SweepExchanges()),
                PeriodicJob(
                    "partners_exchange.reconcile-partners", try .daily(at: "05:00", in: "Europe/Moscow"),
                    send: ReconcilePartners()),
            ]
        }
    }
}
