import AsyncHTTPClient
import Contracts
import JobQueue
import Kernel
import Promotions

/// Makes the demo data in a running system.
enum Demo {
    /// What there is now, for people and programs.
    struct Summary: Encodable, Sendable {
        let members: Int
        let phone: String
        let card: String
        let newReceipts: Int
        let tillKeyFile: String
        let smsCommand: String

        var text: String {
            """
            demo member: \(self.phone), card \(self.card)
            SMS codes:   \(self.smsCommand)
            till's key:  \(self.tillKeyFile)
            """
        }
    }

    /// - Throws: ``CommandFailure`` when nothing runs in the folder or a receipt is refused.
    static func make(in folder: SystemFolder) async throws -> Summary {
        try await OperatorSession.run(in: folder) { session in
            try await BusSession.run(session) { bus in
                let retries = Retries(limit: .seconds(60))
                let directory = MemberDirectory(bus: bus, retries: retries)
                let known = try await directory.list(prefix: DemoData.referencePrefix)
                let members = known.count == DemoData.people.count ? known : try await directory.enrol(DemoData.people)
                _ = try await ImportStores(database: session.database)(DemoData.shops)
                let catalogue = ImportCatalogue(database: session.database)
                _ = try await catalogue(DemoData.products, on: DemoData.shelves)
                _ = try await ImportOffers(database: session.database)(from: SystemClock().now, days: 14)
                _ = try await TillKeys(session: session, bus: bus)
                    .kept(as: Self.keyName, scopes: [.receipts, .spend], label: "demo")
                let cards = members.sorted { $0.reference < $1.reference }.map(\.card)
                let new = try await self.post(cards, bus, session, retries)
                return Summary(
                    members: members.count, phone: DemoData.people.first?.phone.e164 ?? "",
                    card: cards.first?.digits ?? "", newReceipts: new,
                    tillKeyFile: SystemSecrets(folder).path(Self.keyName), smsCommand: "club sms --data \(folder.path)")
            }
        }
    }

    private static let keyName = "demo-till.key"

    private static func post(
        _ cards: [CardNumber], _ bus: Bus, _ session: OperatorSession, _ retries: Retries
    ) async throws -> Int {
        let url = try session.state.url(of: PromotionsModule.name)
        let key = try await TillKeys(session: session, bus: bus).importKey()
        return try await HTTPClient.withClient { http in
            let till = TillClient(http: http, url: url, key: key, retries: retries)
            var new = 0
            for (member, card) in cards.enumerated() {
                for number in 0..<DemoData.receiptsEach {
                    guard let receipt = DemoData.receipt(number, of: member, card: card) else { continue }
                    switch try await till.post(receipt) {
                    case .accepted: new += 1
                    case .known: break
                    case .refused(let code):
                        throw CommandFailure(.software, "A receipt of the demo was refused: \(code).")
                    }
                }
            }
            return new
        }
    }
}
