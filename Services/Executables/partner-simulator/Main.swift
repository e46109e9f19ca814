import ArgumentParser
import Hummingbird
import Logging
import PartnerSimulator

/// A partner that misbehaves on command. A process of its own.
@main struct Main: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "partner-simulator", abstract: "A partner of the exchange that misbehaves on command.")

    @Option(help: "Where it listens.") var port = 8090
    @Option(help: "What both sides sign with.") var secret: String
    @Option(help: "Where it tells of its news; without it has no webhooks.") var webhook: String?
    @Option(help: "How many seconds a slow answer takes.") var slow = 3

    func run() async throws {
        var setup = PartnerSimulator.Setup(secret: self.secret)
        setup.slow = .seconds(self.slow)
        let book = PartnerBook()
        book.webhook = self.webhook
        let application = Application(
            router: PartnerSimulator(setup, book: book).router(),
            configuration: .init(address: .hostname("127.0.0.1", port: self.port), serverName: "partner-simulator"))
        try await application.runService()
    }
}
