import FoundationEssentials
import HTTPTypes
import Hummingbird
import Kernel
import Web

/// What Kannel calls: reports about messages that it was given, and messages from phones. It can say who it is by a secret
/// in the address only; without the secret, or where no Kannel is set up, nothing is here.
struct KannelRoutes: Sendable {
    let secret: Secret?
    let takeReport: TakeReport
    let stop: StopAdvertising

    func add(to router: Router<ClubRequestContext>) {
        router.get("/gateways/kannel/:secret/reports/:reference", use: self.getReport)
        router.get("/gateways/kannel/:secret/messages", use: self.getMessage)
    }

    @Sendable private func getReport(_ request: Request, _ context: ClubRequestContext) async throws -> Answer {
        try self.check(context)
        let reference = try context.id("reference", of: SMSReport.self)
        guard let status = request.uri.queryParameters["status"].flatMap({ Int($0) }),
            let state = KannelReport.state(status)
        else { throw Problem(.notFound) }
        try await self.takeReport(reference.raw, state: state)
        return .empty()
    }

    /// Set up in Kannel as `get-url = "…/messages?from=%p&coding=%c&text=%b"`. Kannel sends an answer's text on to the phone,
    /// so the answer is empty whatever came.
    @Sendable private func getMessage(_ request: Request, _ context: ClubRequestContext) async throws -> Answer {
        try self.check(context)
        let query = request.uri.queryParameters
        let raw = (request.uri.query ?? "").split(separator: "&").first { $0.hasPrefix("text=") }?.dropFirst(5)
        let coding = query["coding"].flatMap { Int($0) } ?? 0
        if let from = query["from"], let phone = try? PhoneNumber(parsing: String(from)),
            let text = raw.flatMap({ KannelText.decode($0.prefix(1000), coding: coding) })
        {
            try await self.stop(text, from: phone)
        }
        return .empty()
    }

    private func check(_ context: ClubRequestContext) throws(Problem) {
        let presented = Array((context.parameters.get("secret") ?? "").utf8)
        guard let secret, ConstantTime.equal(secret.reveal(), presented) else { throw Problem(.notFound) }
    }
}

/// A message by SMS, as reports name it.
enum SMSReport {}
