import FoundationEssentials
import Kernel
import Postgres

/// Issues the short-lived code of the member's screen. With it a till may spend points; with the card's number alone it
/// can only let the member earn. Checked offline; that it is taken once only is the checker's business, by its `jti`.
struct IssueCardToken: Sendable {
    let database: Database
    let ids: IDGenerator
    let signer: TokenSigner

    /// - Returns: nil when the session has ended.
    func callAsFunction(_ member: Member.ID, session: Session.ID) async throws -> SignedToken? {
        guard try await SessionStore().isLive(session, of: member, on: self.database) else { return nil }
        return try await self.signer.signCardToken(member: member, session: session, id: self.ids.uuid())
    }
}
