import Hummingbird
import Kernel
import Logging
import PartnerSimulator
import ServiceLifecycle

/// The demo's partners: two simulated ones on one port, one that is asked and one that tells. They credit what they have
/// accepted by themselves, a little later.
struct DemoPartners: Sendable {
    /// A partner, as partners-exchange calls it.
    enum Partner: String, CaseIterable, Sendable {
        /// Miles, ordered by signed HTTP and asked about.
        case s7
        /// Bonuses, ordered by signed HTTP and confirmed by webhooks.
        case letual

        /// What both sides sign with.
        var secretName: String { "demo_partner_\(self.rawValue)" }
    }

    let host: String
    let port: Int
    /// Where partners-exchange takes their news.
    let exchange: String
    let secrets: SystemSecrets

    /// Between two times that they look after their orders.
    private static let pause = Duration.seconds(3)

    /// Makes the secrets, whose presence says that the system has a demo.
    static func want(in folder: SystemFolder) throws {
        for partner in Partner.allCases {
            _ = try SystemSecrets(folder).readOrMake(partner.secretName, bytes: 32)
        }
    }

    static func areWanted(in folder: SystemFolder) -> Bool {
        let secrets = SystemSecrets(folder)
        return Partner.allCases.allSatisfy { secrets.read($0.secretName) != nil }
    }

    /// Until the task is cancelled or told to stop.
    func run() async throws {
        let router = Router()
        let partners = Partner.allCases.map { partner in
            let simulator = self.simulator(of: partner)
            simulator.addRoutes(to: router.group("\(partner.rawValue)"))
            return simulator
        }
        let application = Application(
            router: router,
            configuration: .init(address: .hostname(self.host, port: self.port), serverName: "partner-simulator"),
            logger: Logger(label: "partner-simulator", factory: { _ in SwiftLogNoOpLogHandler() }))
        try await withThrowingTaskGroup(of: Void.self) { group in
            group.addTask {
                do {
                    try await application.run()
                } catch  where Task.isCancelled {
                    // Being asked to stop is no failure.
                }
            }
            group.addTask { await self.keepPromises(of: partners) }
            try await group.next()
            group.cancelAll()
            try await group.waitForAll()
        }
    }

    private func simulator(of partner: Partner) -> PartnerSimulator {
        let book = PartnerBook()
        if partner == .letual { book.webhook = "\(self.exchange)/partner/v1/\(partner.rawValue)/notifications" }
        let secret = self.secrets.read(partner.secretName)?.text ?? ""
        return PartnerSimulator(PartnerSimulator.Setup(secret: secret), book: book)
    }

    private func keepPromises(of partners: [PartnerSimulator]) async {
        while (try? await Task.sleep(for: Self.pause)) != nil {
            for partner in partners {
                partner.book.credit()
                // News that nobody takes is told again the next time.
                _ = try? await partner.tell()
            }
        }
    }
}
