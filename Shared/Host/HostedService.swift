internal import FoundationEssentials
internal import Hummingbird
internal import JobQueue
internal import Kernel
internal import Logging
internal import Metrics
internal import NIOConcurrencyHelpers
internal import NIOCore
internal import Postgres
internal import ServiceLifecycle
internal import Telemetry
internal import Tracing
internal import Web

/// What all services of a process share.
struct HostContext: Sendable {
    let settings: Settings
    let reactor: Reactor
    let neighbourhood: Neighbourhood
    let clock: any WallClock
    let ids: IDGenerator
    let random: RandomBytes
    /// Tells this process from others of the same service.
    let instance: String
    let makeLogger: @Sendable (_ label: String) -> Logger
    let report: @Sendable (HostEvent) -> Void
}

/// One service in the process, from waiting for its database to giving back its jobs.
struct HostedService<Module: ServiceModule>: Service {
    private let context: HostContext
    private let logger: Logger
    private let metrics: PrometheusMetrics
    private let database: Database
    private let listener: Listener
    private let listening: Listening
    private let callPatience: Duration
    private let keyring: Keyring?
    private let pages: ServicePages
    private let gate: GateResponder
    private let isStarted = NIOLockedValueBox(false)
    /// nil when nobody collects traces.
    private let exporter: SpanExporter?
    private let tracer: any Tracer

    init(_: Module.Type, in context: HostContext) throws {
        let name = Module.name
        let logger = context.makeLogger("club.\(name.text)")
        let metrics = PrometheusMetrics()
        let configuration = try context.settings.databaseConfiguration(of: name, instance: context.instance)
        let (database, listener) = withMetricsFactory(metrics) {
            (
                Database(configuration, reactor: context.reactor, logger: logger),
                Listener(configuration, reactor: context.reactor, logger: logger)
            )
        }
        let pool = withMetricsFactory(metrics) { PoolGauges(database) }
        let isStarted = self.isStarted
        let listening = try context.settings.listening()
        let pages = ServicePages(
            openAPI: try Self.openAPI(),
            metrics: {
                pool.read()
                return metrics.text()
            },
            readiness: [
                HealthCheck("database") { try await database.execute("select 1") },
                HealthCheck("started") { try NotReady.unless(isStarted.withLockedValue { $0 }) },
                HealthCheck("listener") { try NotReady.unless(listening == .pollOnly || listener.isConnected) },
            ])
        self.context = context
        self.logger = logger
        self.metrics = metrics
        self.database = database
        self.listener = listener
        self.listening = listening
        self.callPatience = try context.settings.duration(HostSettings.callPatience)
        self.keyring = try context.settings.queueKeys()
        self.pages = pages
        self.gate = withMetricsFactory(metrics) { GateResponder(pages: pages) }
        let exporter = try context.settings.traceEndpoint().map { endpoint in
            withMetricsFactory(metrics) {
                SpanExporter(
                    endpoint: endpoint, service: "club-\(name.text)", instance: context.instance, logger: logger)
            }
        }
        let percent = try context.settings.integer(HostSettings.tracePercent)
        self.exporter = exporter
        self.tracer = exporter.map { SpanTracer(exporter: $0, percent: percent) } ?? InstrumentationSystem.tracer
    }

    /// Its HTTP interface, which answers from the first moment on.
    func application() throws -> some Service {
        let name = Module.name
        let host = try self.context.settings.text(HostSettings.bind)
        let port = try self.context.settings.port(of: name)
        let (context, logger) = (self.context, self.logger)
        return HTTPService(
            application: Application(
                responder: self.gate,
                configuration: ApplicationConfiguration(address: .hostname(host, port: port), serverName: "club"),
                onServerRunning: { channel in
                    let port = channel.localAddress?.port ?? port
                    logger.info("Listening", metadata: ["address": "\(host)", "port": "\(port)"])
                    context.report(.listening(name, port: port))
                },
                logger: logger),
            name: name, host: host, port: port, tracer: self.tracer)
    }

    /// Sends what has been traced; ends after everything that is traced.
    func traces() -> (any Service)? {
        self.exporter.map(SpanExporterService.init)
    }

    /// Closes the database's connections when everything that uses them has ended.
    func closer() -> some Service {
        ConnectionCloser(database: self.database, listener: self.listener)
    }

    func run() async throws {
        try await withLogger(self.logger) { _ in
            try await withMetricsFactory(self.metrics) {
                do {
                    try await withTracer(self.tracer) { try await self.serve() }
                } catch is CancellationError {
                    // Being asked to stop is no failure.
                }
            }
        }
    }

    private func serve() async throws {
        let bus = Bus(
            service: Module.name, database: self.database, listener: self.listener,
            neighbourhood: self.context.neighbourhood, listening: self.listening,
            callPatience: self.callPatience, keyring: self.keyring,
            middleware: [TracingMiddleware(), LoggingMiddleware(self.logger)], logger: self.logger)
        guard let module = try await cancelWhenGracefulShutdown({ try await self.start(bus) }) else { return }
        let periodicJobs = try module.periodicJobs
        let router = HouseRouter.make(pages: self.pages, random: self.context.random) { module.addRoutes(to: $0) }
        self.gate.open(router.buildResponder())
        self.isStarted.withLockedValue { $0 = true }
        self.logger.info("Ready")
        self.context.report(.ready(Module.name))
        let worker = Worker(
            bus: bus, queues: module.queues, handlers: module.handlers, periodic: periodicJobs)
        let gauges = ServiceGauges(service: Module.name, database: self.database, logger: self.logger)
        // The worker first: it outlives the others, which may still send and call while they end.
        try await ServiceGroup(services: [worker] + module.services + [gauges], logger: self.logger).run()
    }

    /// Puts the module together as soon as the database is fit for it.
    private func start(_ bus: Bus) async throws -> Module? {
        let context = self.context
        let wait = DatabaseWait(
            sets: [JobQueueMigrations.set, Module.migrations], configuration: self.database.configuration,
            reactor: context.reactor, logger: self.logger)
        let resources = ModuleResources(
            database: self.database, bus: bus, clock: context.clock, ids: context.ids, random: context.random,
            settings: context.settings, logger: self.logger)
        while !Task.isCancelled {
            try await wait.wait()
            do {
                return try await Module(resources)
            } catch let error as DatabaseError where error.isRetryable {
                self.logger.warning("Starting again", metadata: ["error": "\(error)"])
            }
        }
        return nil
    }

    private static func openAPI() throws -> String {
        let folder = Module.migrations.directory.split(separator: "/").dropLast().joined(separator: "/")
        let file = "/\(folder)/openapi.yaml"
        guard let bytes = FileManager.default.contents(atPath: file) else {
            throw HostError("\(file) is missing: the folder of resources belongs beside the executable.")
        }
        return String(decoding: bytes, as: UTF8.self)
    }
}

/// Thrown by a readiness check.
private struct NotReady: Error {
    static func unless(_ condition: Bool) throws {
        if !condition { throw NotReady() }
    }
}

/// Hummingbird's application, whose failure to listen becomes a sentence.
private struct HTTPService<App: ApplicationProtocol>: Service {
    let application: App
    let name: ServiceName
    let host: String
    let port: Int
    let tracer: any Tracer

    func run() async throws {
        do {
            try await withTracer(self.tracer) { try await self.application.run() }
        } catch let error as IOError {
            throw HostError(
                "\(self.name.text) cannot listen on \(self.host) port \(self.port) (CLUB_BIND, CLUB_PORT): \(error.description)"
            )
        } catch is CancellationError {
            // Being asked to stop is no failure.
        }
    }
}

/// Sends spans until it is asked to stop.
private struct SpanExporterService: Service {
    let exporter: SpanExporter

    func run() async {
        await cancelWhenGracefulShutdown { await self.exporter.run() }
    }
}

/// Lives until everything that needs the database has ended, then closes it.
private struct ConnectionCloser: Service {
    let database: Database
    let listener: Listener

    func run() async {
        // Ends by a graceful stop or by cancellation: closing is right either way.
        try? await gracefulShutdown()
        await self.listener.shutdown()
        await self.database.shutdown()
    }
}
