internal import Hummingbird
internal import NIOConcurrencyHelpers
internal import Web

/// Answers for a service that may not have started yet: health and metrics at once, everything else when it is there.
struct GateResponder: HTTPResponder {
    typealias Context = ClubRequestContext

    private let closed: RouterResponder<ClubRequestContext>
    private let open = NIOLockedValueBox<RouterResponder<ClubRequestContext>?>(nil)

    /// - Parameter pages: are served from the first moment on.
    init(pages: ServicePages) {
        let router = HouseRouter.make(pages: pages) { router in
            for method: HTTPRequest.Method in [.get, .post, .put, .patch, .delete] {
                router.on("**", method: method) { _, _ -> Response in
                    throw Problem(.temporarilyUnavailable, retryAfter: .seconds(1))
                }
            }
        }
        self.closed = router.buildResponder()
    }

    /// From now on the service itself answers.
    func open(_ responder: RouterResponder<ClubRequestContext>) {
        self.open.withLockedValue { $0 = responder }
    }

    func respond(to request: Request, context: ClubRequestContext) async throws -> Response {
        let responder = self.open.withLockedValue { $0 } ?? self.closed
        return try await responder.respond(to: request, context: context)
    }
}
