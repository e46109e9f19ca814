import Hummingbird
import HummingbirdTesting
import PartnerSimulator
import TestSupport
import Testing

/// A partner of the programme that is somewhere else: reached over HTTP only, as the services reach it.
struct PartnerByTheSea: Sendable {
    /// What both sides sign with.
    static let secret = String(repeating: "s7-and-club-", count: 4)

    private let port: Int

    var host: String { "127.0.0.1:\(self.port)" }
    var address: String { "http://\(self.host)" }
    private var http: HTTPTestClient { HTTPTestClient(self.address) }

    /// Is there for as long as the body runs.
    static func run(_ body: @escaping @Sendable (PartnerByTheSea) async throws -> Void) async throws {
        let application = Application(
            router: PartnerSimulator(PartnerSimulator.Setup(secret: Self.secret)).router(),
            configuration: .init(address: .hostname("127.0.0.1", port: 0)), logger: CapturedLogs.logger)
        try await application.test(.live) { client in
            try await body(PartnerByTheSea(port: try #require(client.port)))
        }
    }

    /// The partner credits what it has accepted.
    /// - Returns: how many orders.
    func credit() async throws -> Int64? {
        try await self.http.send("POST", "/control/credits").json(JSON.self)["credited"]?.number
    }

    /// The file of a day.
    func file() async throws -> String { try await self.http.get("/file").text }
}
