import Contracts
import Host
import JobQueue
import Kernel
import Redemption

/// Does the next duty of a donation. Sent by charity to itself.
struct DriveDonation: RedemptionDrive {
    static let name = "charity.drive-donation"
    static let queue: QueueName = "charity.donations"

    let member: Member.ID
    let redemption: RedemptionRecord.ID
}

/// Does what is due for everybody: accounts of new funds, donations that have lost their job, batches, payments,
/// donors who are to hear of their fund.
struct KeepCharity: Command {
    static let name = "charity.keep"
    static let queue: QueueName = "charity.keeping"
}

/// What charity hears.
struct CharityHandlers: Sendable {
    static let queues = [
        QueueDeclaration(DriveDonation.queue, producers: ["charity"]),
        QueueDeclaration(KeepCharity.queue, lease: .seconds(120), slots: 1, producers: ["charity"], runningMax: 1),
        QueueDeclaration("charity.directory", producers: ["auth"]),
    ]

    let flow: RedemptionFlow
    let openFund: OpenFund
    let settle: SettleMonths
    let tellDonors: TellDonors
    let clock: any WallClock

    var all: [Handler] {
        [
            self.flow.handler(of: DriveDonation.self),
            .endedSessions(of: CharityModule.name, on: "charity.directory", clock: self.clock),
            .leased(KeepCharity.self) { _, _ in
                try await self.openFund.all()
                try await self.flow.sweep()
                try await self.settle.prepareDue()
                try await self.settle.payApproved()
                try await self.tellDonors()
            },
        ]
    }

    static var periodic: [PeriodicJob] {
        get throws {
            [PeriodicJob("charity.keep", try .every(.seconds(60)), catchUp: .one, send: KeepCharity())]
        }
    }
}
