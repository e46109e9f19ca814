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
        let printedCard: String
        let newReceipts: Int
        let tillKeyFile: String
        let colleaguesFile: String
        let smsCommand: String
        let tourCommand: String

        var text: String {
            """
            demo member:  \(self.phone), card \(self.card); a printed card to activate: \(self.printedCard)
            SMS codes:    \(self.smsCommand)
            till's key:   \(self.tillKeyFile)
            colleagues:   \(self.colleaguesFile)
            all features: \(self.tourCommand)
            """
        }
    }

    /// - Throws: ``CommandFailure`` when nothing runs in the folder, or something is refused.
    static func make(in folder: SystemFolder) async throws -> Summary {
        let colleagues = DemoColleagues(folder)
        try await StaffDesk.run(in: folder) { try await colleagues.make($0) }
        return try await OperatorSession.run(in: folder) { session in
            try await BusSession.run(session) { bus in
                let cards = try await self.fill(session, bus)
                let new = try await HTTPClient.withClient { http in
                    let client = ProgrammeClient(session.state, http: http)
                    try await DemoProgramme(
                        client: client, colleagues: colleagues, secrets: SystemSecrets(folder), now: SystemClock().now
                    ).make()
                    return try await self.post(cards, bus, session, http)
                }
                return Summary(
                    members: cards.count, phone: DemoData.people.first?.phone.e164 ?? "",
                    card: cards.first?.digits ?? "", printedCard: DemoData.printedCards.first?.digits ?? "",
                    newReceipts: new, tillKeyFile: SystemSecrets(folder).path(Self.keyName),
                    colleaguesFile: colleagues.file, smsCommand: "club sms --data \(folder.path)",
                    tourCommand: "club demo tour --data \(folder.path)")
            }
        }
    }

    /// Members, shops, the catalogue with its offers, and a till's key.
    /// - Returns: the members' cards.
    private static func fill(_ session: OperatorSession, _ bus: Bus) async throws -> [CardNumber] {
        let directory = MemberDirectory(bus: bus, retries: Self.retries)
        let known = try await directory.list(prefix: DemoData.referencePrefix)
        let members = known.count == DemoData.people.count ? known : try await directory.enrol(DemoData.people)
        _ = try await ImportStores(database: session.database)(DemoData.shops)
        let catalogue = ImportCatalogue(database: session.database)
        _ = try await catalogue(DemoData.products, on: DemoData.shelves)
        _ = try await ImportOffers(database: session.database)(from: SystemClock().now, days: 14)
        _ = try await self.tillKey(session, bus)
        return members.sorted { $0.reference < $1.reference }.map(\.card)
    }

    /// The key of the demo's till, for everything that tills do.
    static func tillKey(_ session: OperatorSession, _ bus: Bus) async throws -> Secret {
        try await TillKeys(session: session, bus: bus)
            .kept(as: Self.keyName, scopes: [.receipts, .spend, .certificates], label: "demo")
    }

    private static let keyName = "demo-till.key"
    private static let retries = Retries(limit: .seconds(60))

    private static func post(
        _ cards: [CardNumber], _ bus: Bus, _ session: OperatorSession, _ http: HTTPClient
    ) async throws -> Int {
        let till = TillClient(
            http: http, url: try session.state.url(of: PromotionsModule.name),
            key: try await TillKeys(session: session, bus: bus).importKey(), retries: Self.retries)
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
