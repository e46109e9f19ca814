import ArgumentParser
import Kernel

/// `club url`
struct URLCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "url", abstract: "Print where a service answers, for scripts.")

    @OptionGroup var system: SystemOptions
    @Argument(
        help: "auth, ledger, promotions, partners_exchange, charity, gift_certificates, support, or partner_simulator.")
    var service: String

    func run() async throws {
        guard let name = ServiceName(self.service) else {
            throw ValidationError("\(self.service) is no service: \(ServiceName.requirement).")
        }
        let state = try RemoteSystem()?.state() ?? self.system.folder.requireRunning()
        Output(json: false).line(try state.url(of: name))
    }
}
