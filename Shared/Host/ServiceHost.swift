public import FoundationEssentials
internal import Glibc
internal import JobQueue
public import Kernel
internal import Logging
internal import NIOConcurrencyHelpers
internal import Postgres
internal import ServiceLifecycle
public import Telemetry
internal import UnixSignals

/// Turns services into a running process.
///
/// Each service gets its own port, its own database role and pool, its own metrics and its own end of the bus; they share
/// the reactor, so that three services in a process cost little more than one.
public struct ServiceHost: Sendable {
    private let modules: [any ServiceModule.Type]
    private let settings: Settings
    private let sink: LogSink
    private let clock: any WallClock
    private let ids: IDGenerator
    private let random: RandomBytes

    /// Reads and checks the settings.
    /// - Parameters:
    ///   - settings: go above the environment and the file.
    ///   - sink: where the logs go.
    /// - Throws: ``SettingsError``
    public init(
        modules: [any ServiceModule.Type], settings: [String: String] = [:],
        environment: [String: String] = ProcessInfo.processInfo.environment, sink: LogSink = .standardError,
        clock: any WallClock = SystemClock(), ids: IDGenerator? = nil, random: RandomBytes = .system
    ) throws {
        self.modules = modules
        self.settings = try Settings(
            HostSettings.declared(for: modules), from: SettingsSources(given: settings, environment: environment))
        self.sink = sink
        self.clock = clock
        self.ids = ids ?? .uuidV7(clock: clock, random: random)
        self.random = random
    }

    /// Runs until the process gets SIGTERM or SIGINT, the switch is pulled, or a service fails.
    /// - Parameters:
    ///   - handlesSignals: whether the two signals stop this host.
    ///   - report: is told what happens.
    /// - Throws: ``SettingsError``, ``HostError``, or what stopped a service.
    public func run(
        handlesSignals: Bool = true, stopSwitch: StopSwitch = StopSwitch(),
        report: @escaping @Sendable (HostEvent) -> Void = { _ in }
    ) async throws {
        // A reader that goes away is an error of one write, not the end of the process.
        signal(SIGPIPE, SIG_IGN)
        let level = Logger.Level(rawValue: try self.settings.text(HostSettings.logLevel)) ?? .info
        let context = HostContext(
            settings: self.settings, reactor: try Reactor(), neighbourhood: Neighbourhood(), clock: self.clock,
            ids: self.ids, random: self.random, instance: Self.instance,
            makeLogger: { [sink, clock] label in
                Logger(label: label) { JSONLogHandler(label: $0, level: level, sink: sink, clock: clock) }
            }, report: report)
        let logger = context.makeLogger("club.host")
        logger.info(
            "Starting",
            metadata: [
                "services": .array(self.modules.map { "\($0.name.text)" }), "instance": "\(context.instance)",
                "settings": .dictionary(Dictionary(uniqueKeysWithValues: self.settings.masked.map { ($0, "\($1)") })),
            ])
        var configuration = ServiceGroupConfiguration(
            services: try self.services(in: context, stopSwitch),
            gracefulShutdownSignals: handlesSignals ? [.sigterm, .sigint] : [], logger: logger)
        configuration.maximumGracefulShutdownDuration = try self.settings.duration(HostSettings.stopTime)
        try await withLogger(logger) { _ in
            try await ServiceGroup(configuration: configuration).run()
        }
        logger.info("Stopped")
    }

    /// Shutdown goes from the last to the first: intake ends, then work, then the connections.
    private func services(
        in context: HostContext, _ stopSwitch: StopSwitch
    ) throws -> [ServiceGroupConfiguration.ServiceConfiguration] {
        let hosted = try self.modules.map { try Self.host($0, in: context) }
        let services =
            hosted.compactMap(\.traces) + hosted.map(\.closer) + hosted.map(\.service) + hosted.map(\.application)
        return services.map { ServiceGroupConfiguration.ServiceConfiguration(service: $0) } + [
            ServiceGroupConfiguration.ServiceConfiguration(
                service: StopSwitchService(stopSwitch: stopSwitch), successTerminationBehavior: .gracefullyShutdownGroup
            )
        ]
    }

    private static func host<Module: ServiceModule>(
        _ module: Module.Type, in context: HostContext
    ) throws -> (traces: (any Service)?, closer: any Service, service: any Service, application: any Service) {
        let service = try HostedService(module, in: context)
        return (service.traces(), service.closer(), service, try service.application())
    }

    /// Host name and process number.
    private static var instance: String {
        "\(ProcessInfo.processInfo.hostName):\(ProcessInfo.processInfo.processIdentifier)"
    }
}
