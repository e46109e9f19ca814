import Hummingbird
import Kernel
import Postgres
import Web

/// The devices on which a member is logged in.
struct SessionRoutes: Sendable {
    let database: Database
    let logOut: LogOut
    let clock: any WallClock

    func add(to members: RouterGroup<ClubRequestContext>) {
        members.get("/v1/me/sessions", use: self.list)
        members.delete("/v1/me/sessions", use: self.endAll)
        members.delete("/v1/me/sessions/:session", use: self.end)
    }

    @Sendable private func list(_ request: Request, _ context: ClubRequestContext) async throws -> Answer {
        let token = try context.requireMember()
        let listed = try await SessionStore().list(of: token.member, at: self.clock.now, on: self.database)
        return try .secret(SessionsReply(listed, current: token.session))
    }

    @Sendable private func endAll(_ request: Request, _ context: ClubRequestContext) async throws -> Answer {
        try await self.logOut.everywhere(context.requireMember().member)
        return .empty()
    }

    @Sendable private func end(_ request: Request, _ context: ClubRequestContext) async throws -> Answer {
        let member = try context.requireMember().member
        guard try await self.logOut(context.id("session", of: Session.self), of: member) else {
            throw Problem(.notFound)
        }
        return .empty()
    }
}
