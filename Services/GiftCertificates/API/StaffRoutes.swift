import HTTPTypes
import Hummingbird
import Kernel
import Postgres
import Redemption
import Web

/// What colleagues do: look, stop, let go on, give the points back by the word of two, and see what stands still.
struct StaffRoutes: Sendable {
    let intervene: Intervene
    let redemptions: RedemptionStore
    let database: Database
    let clock: any WallClock
    let refusing: Refusing

    /// - Parameter only: lets in who has one of the roles.
    func add(to router: Router<ClubRequestContext>, _ only: (Set<StaffRole>) -> StaffAuthentication) {
        let support = router.group("v1/staff").add(middleware: only([.support, .supervisor]))
        support.post("certificates/:certificate/block") { request, context in
            try await self.acting(request, context) { try await self.intervene.block($0, by: $1, reason: $2) }
        }
        support.post("certificates/:certificate/refund") { request, context in
            try await self.acting(request, context) { try await self.intervene.requestRefund($0, by: $1, reason: $2) }
        }
        let supervisors = router.group("v1/staff").add(middleware: only([.supervisor]))
        supervisors.post("certificates/:certificate/unblock") { request, context in
            try await self.acting(request, context) { try await self.intervene.unblock($0, by: $1, reason: $2) }
        }
        supervisors.post("certificates/:certificate/refund/approve") { request, context in
            try await self.acting(request, context) { try await self.intervene.approveRefund($0, by: $1, reason: $2) }
        }
        let readers = router.group("v1/staff").add(middleware: only([.support, .supervisor, .auditor]))
        readers.get("certificates/stuck", use: self.stuck)
        readers.get("certificates/:certificate") { _, context in
            let id = try context.id("certificate", of: GiftCertificate.self)
            return try await self.refusing {
                try Answer.json(StaffCertificateAnswer(try await self.intervene.find(id)))
            }
        }
    }

    private func acting(
        _ request: Request, _ context: ClubRequestContext,
        _ action: (GiftCertificate.ID, Staff.ID, String) async throws -> Certificate
    ) async throws -> Answer {
        let staff = try context.requireStaff().staff
        let id = try context.id("certificate", of: GiftCertificate.self)
        let reason = try await StrictJSON.decode(ReasonBody.self, from: request).parsed()
        return try await self.refusing {
            try .json(StaffCertificateAnswer(try await action(id, staff, reason)))
        }
    }

    /// Payments that have stood where they are for more than an hour, those that wait for a person first.
    @Sendable private func stuck(_ request: Request, context: ClubRequestContext) async throws -> Answer {
        let stuck = try await self.redemptions.stuck(
            since: self.clock.now - .seconds(3600), limit: 100, in: self.database)
        return try .json(stuck.map(StuckAnswer.init))
    }
}

/// A payment that does not move.
struct StuckAnswer: Encodable, Sendable {
    let payment: RedemptionRecord.ID
    let member: Member.ID
    let state: String
    let since: Timestamp
    let points: Points
    let reason: String?

    init(_ record: RedemptionRecord) {
        (self.payment, self.member, self.state) = (record.id, record.member, record.state.rawValue)
        (self.since, self.points, self.reason) = (record.since, record.points, record.reason)
    }
}
