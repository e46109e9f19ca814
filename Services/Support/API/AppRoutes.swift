import HTTPTypes
import Hummingbird
import Web

/// The links to the apps, which only the operator changes: clients may keep them for an hour.
struct AppRoutes: Sendable {
    let links: [AppLink]

    func add(to group: RouterGroup<ClubRequestContext>) {
        group.get("apps") { _, _ in
            try Answer.json(["items": self.links], headers: [.cacheControl: "public, max-age=3600"])
        }
    }
}
