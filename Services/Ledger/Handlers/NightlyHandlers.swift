internal import JobQueue
internal import Kernel
internal import Postgres

/// Write off everything that has expired, mature what is due, end sticker campaigns. Sent by the ledger to itself.
struct SweepPoints: Command {
    static let name = "ledger.sweep-points"
    static let queue: QueueName = "ledger.nightly"
}

/// Tell members of points that will expire.
struct RemindMembers: Command {
    static let name = "ledger.remind-members"
    static let queue: QueueName = "ledger.nightly"
}

/// What the ledger does once a day for everybody. In chunks, each in a transaction of its own; broken off, it goes on
/// where it was, because what is done is not due any more. Progress is told to whoever watches the job.
struct NightlyHandlers: Sendable {
    /// One at a time over all processes: chunks of two sweeps would only share the work.
    static let queue = QueueDeclaration(
        "ledger.nightly", lease: .seconds(300), slots: 1, producers: ["ledger"], runningMax: 1)

    let upkeep: Upkeep
    let remindMembers: RemindMembersOfExpiry

    var all: [Handler] {
        [
            .leased(SweepPoints.self) { _, job in
                let total = try await self.upkeep.expiryDue()
                try await self.upkeep.expirePoints { done in
                    await job.report(JobProgress(done: Int64(done), of: total, note: "members"))
                    try await job.extend(by: .seconds(300))
                }
                try await self.upkeep.maturePoints()
                try await self.upkeep.expireStickers()
                try await self.upkeep.forgetRefusals()
            },
            .leased(RemindMembers.self) { _, job in
                try await self.remindMembers { done in
                    await job.report(JobProgress(done: Int64(done), note: "members told"))
                    try await job.extend(by: .seconds(300))
                }
            },
        ]
    }

    /// At midnight in Moscow points expire; at ten members are told what will.
    static var periodic: [PeriodicJob] {
        get throws {
            [
                PeriodicJob("ledger.sweep-points", try .daily(at: "00:00", in: "Europe/Moscow"), send: SweepPoints()),
                PeriodicJob(
                    "ledger.remind-members", try .daily(at: "10:00", in: "Europe/Moscow"), send: RemindMembers()),
            ]
        }
    }
}
