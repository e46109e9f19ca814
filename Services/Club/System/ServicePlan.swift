import Auth
import Charity
import EmbeddedPostgres
import FoundationEssentials
import GiftCertificates
import Host
import Kernel
import Ledger
import PartnersExchange
import Promotions
import ServiceLifecycle
import Support
import SystemPackage
import Telemetry

/// Which services a system has, where they answer, and how they are run.
struct ServicePlan: Sendable {
    static let modules: [any ServiceModule.Type] = [
        AuthModule.self, LedgerModule.self, PromotionsModule.self, PartnersExchangeModule.self, CharityModule.self,
        GiftCertificatesModule.self, SupportModule.self,
    ]
    /// This machine only.
    private static let address = "127.0.0.1"

    /// The first of the ports, which follow each other in the order of ``modules``.
    let port: Int
    /// Each service is a process of its own.
    let isSeparate: Bool
    /// Where the services' logs go.
    let log: String
    /// The partners of the demo run too, on the port behind those of the services, and the demo's settings hold.
    var isDemo = false

    /// The ports that it takes.
    var ports: Range<Int> { self.port..<self.port + Self.modules.count + (self.isDemo ? 1 : 0) }

    var services: [ServiceName] { Self.modules.map { $0.name } }

    func url(of service: ServiceName) -> String {
        "http://\(Self.address):\(self.port + (self.services.firstIndex(of: service) ?? 0))"
    }

    /// Where the partners of the demo answer.
    var simulator: String { "http://\(Self.address):\(self.port + Self.modules.count)" }

    /// The partners of the demo; nil in a system without one.
    func partners(_ secrets: SystemSecrets) -> DemoPartners? {
        guard self.isDemo else { return nil }
        return DemoPartners(
            host: Self.address, port: self.port + Self.modules.count,
            exchange: self.url(of: PartnersExchangeModule.name), secrets: secrets)
    }

    /// Runs the services until the task is told to stop.
    /// - Parameter database: a connection string without user and password.
    func run(database: String, secrets: SystemSecrets, record: StateRecord) async throws {
        let settings = try self.settings(database: database, secrets: secrets)
        let log = try FileDescriptor.open(
            FilePath(self.log), .writeOnly, options: [.append, .create, .closeOnExec], permissions: .ownerReadWrite)
        let result: Result<Void, any Error>
        do {
            if self.isSeparate {
                try await self.runSeparately(settings, log: log, record: record)
            } else {
                let host = try ServiceHost(
                    modules: Self.modules, settings: settings, sink: LogSink(descriptor: log.rawValue))
                try await host.run(handlesSignals: false)
            }
            result = .success(())
        } catch {
            result = .failure(error)
        }
        try log.close()
        try result.get()
    }

    /// What the services are told: the database, their roles' passwords, and the secrets that they cannot do without.
    private func settings(database: String, secrets: SystemSecrets) throws -> [String: String] {
        var settings = ["CLUB_DATABASE": database, "CLUB_PORT": "\(self.port)", "CLUB_BIND": Self.address]
        try secrets.makeQueueKeys()
        settings["CLUB_QUEUE_KEYS_FILE"] = secrets.path(SystemSecrets.queueKeysName)
        for module in Self.modules {
            let password = "CLUB_\(module.name.text.uppercased())_DATABASE_PASSWORD_FILE"
            settings[password] = secrets.path(SystemSetup.passwordName(of: module.name))
            for setting in module.settings where setting.isSecret && setting.isRequired {
                _ = try secrets.readOrMake(setting.name.lowercased(), bytes: 32)
                settings["\(setting.name)_FILE"] = secrets.path(setting.name.lowercased())
            }
        }
        return self.isDemo ? DemoSettings(simulator: self.simulator).added(to: settings) : settings
    }

    private func runSeparately(
        _ settings: [String: String], log: FileDescriptor, record: StateRecord
    ) async throws {
        let folder = try Self.programs()
        try await cancelWhenGracefulShutdown {
            try await withThrowingTaskGroup(of: Void.self) { group in
                for service in self.services {
                    let process = ServiceProcess(
                        name: service, executable: "\(folder)/\(Self.program(of: service))", environment: settings,
                        log: log
                    ) { record.set($0, of: service) }
                    group.addTask { try await process.run() }
                }
                defer { group.cancelAll() }
                try await group.waitForAll()
            }
        }
    }

    /// The executable of a service, as Package.swift names it.
    private static func program(of service: ServiceName) -> String {
        "club-" + Self.hyphenated(service)
    }

    /// A service's name as programs and hosts have it.
    static func hyphenated(_ service: ServiceName) -> String {
        service.text.replacing("_", with: "-")
    }

    /// The service that a program is, by the name that it was called with; nil for the operator's command. So `club` can
    /// have the names of all services, as in a container's image, which then holds one program instead of eight.
    static func module(called program: String) -> (any ServiceModule.Type)? {
        let name = program.split(separator: "/").last.map(String.init)
        return Self.modules.first { Self.program(of: $0.name) == name }
    }

    /// The folder that this program lies in, beside the services' own.
    private static func programs() throws -> String {
        let path = try FileManager.default.destinationOfSymbolicLink(atPath: "/proc/self/exe")
        return path.lastIndex(of: "/").map { String(path[..<$0]) } ?? "."
    }
}
