import HTTPTypes
import Hummingbird
import Kernel
import Web

/// What everybody may see: the designs, and a gift for whoever has its link. Looking at a link changes nothing, so the
/// preview of a messenger takes nothing from its recipient.
struct PublicRoutes: Sendable {
    let claim: ClaimGift
    let show: ShowGift
    let refusing: Refusing
    let looks: RateLimiter
    let clientAddress: ClientAddress

    func add(to router: Router<ClubRequestContext>) {
        let group = router.group("v1")
        group.get("designs") { _, _ in
            try Answer.json(GiftDesign.Template.allCases.map(TemplateAnswer.init))
        }
        let address = self.clientAddress
        let gifts = group.group("gifts").add(
            middleware: RateLimit(self.looks) { request, context in
                Base64URL.encode(address.network(of: request, context).bytes)
            })
        gifts.get(":link") { _, context in
            try Answer.json(GiftAnswer(try await self.view(context)), headers: Self.unlisted)
        }
        gifts.get(":link/card.svg") { _, context in
            Answer.picture(try await self.show.card(of: try await self.view(context)))
        }
    }

    private func view(_ context: ClubRequestContext) async throws -> ShowGift.View {
        try await self.refusing {
            let certificate = try await self.claim.look(context.parameters.get("link").flatMap { GiftLink($0) })
            return try self.show.view(certificate, for: nil)
        }
    }

    /// Not for caches; and the address, which is a secret, goes to nobody as a referrer.
    private static let unlisted: HTTPFields = [.cacheControl: "no-store"]
}
