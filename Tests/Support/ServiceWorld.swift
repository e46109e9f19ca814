public import Host
public import Kernel
internal import Postgres
public import Telemetry

/// Several services in this process, on the present test's database, each on a free port of its own: a small copy of
/// production for journeys.
///
/// ```swift
/// @Test(.database(JobQueueMigrations.set, LedgerModule.migrations)) func `…`() async throws {
///     try await ServiceWorld.run([LedgerModule.self]) { world in
///         let answer = try await world.client(for: "ledger").get("/health/ready")
/// ```
public struct ServiceWorld: Sendable {
    /// The database that the services work on.
    public let database: TestDatabase
    private let ports: [ServiceName: Int]

    /// The port that a service listens on.
    public func port(of service: ServiceName) throws -> Int {
        guard let port = self.ports[service] else {
            throw NeverHappened(description: "\(service.text) is not in this world")
        }
        return port
    }

    /// A client of a service's HTTP interface.
    public func client(for service: ServiceName) throws -> HTTPTestClient {
        HTTPTestClient("http://127.0.0.1:\(try self.port(of: service))")
    }

    /// Starts the services, waits until all are ready, runs the body, and stops them gracefully.
    /// - Parameters:
    ///   - settings: on top of where the database is, which ports are free, and secrets that the services need.
    ///   - sink: where the services log to; nowhere by default.
    public static func run<R: Sendable>(
        _ modules: [any ServiceModule.Type], settings: [String: String] = [:], sink: LogSink? = nil,
        clock: any WallClock = SystemClock(), random: RandomBytes = .system,
        _ body: @Sendable (ServiceWorld) async throws -> R
    ) async throws -> R {
        let database = try TestDatabase.current
        var own = [
            "CLUB_DATABASE": database.configuration().conninfo, "CLUB_PORT": "0", "CLUB_DATABASE_POOL": "4",
        ].merging(BusyMachine.settings, uniquingKeysWith: { $1 })
        for setting in modules.flatMap({ $0.settings }) where setting.isSecret && setting.isRequired {
            own[setting.name] = String(repeating: "test ", count: 13)
        }
        let host = try ServiceHost(
            modules: modules, settings: own.merging(settings, uniquingKeysWith: { $1 }), environment: [:],
            sink: sink ?? .nowhere, clock: clock, random: random)
        let events = Signal<Result<HostEvent, any Error>>()
        let stopSwitch = StopSwitch()
        return try await withThrowingTaskGroup(of: Void.self) { group in
            group.addTask {
                do {
                    try await host.run(handlesSignals: false, stopSwitch: stopSwitch) { events.send(.success($0)) }
                } catch {
                    // Whoever waits for readiness would wait in vain.
                    events.send(.failure(error))
                    throw error
                }
            }
            let result: Result<R, any Error>
            do {
                let world = ServiceWorld(database: database, ports: try await Self.ports(of: modules, events))
                result = .success(try await body(world))
            } catch {
                result = .failure(error)
            }
            stopSwitch.pull()
            try await group.waitForAll()
            return try result.get()
        }
    }

    /// Waits until every service listens and is ready.
    private static func ports(
        of modules: [any ServiceModule.Type], _ events: Signal<Result<HostEvent, any Error>>
    ) async throws -> [ServiceName: Int] {
        var ports: [ServiceName: Int] = [:]
        var ready: Set<ServiceName> = []
        while ports.count < modules.count || ready.count < modules.count {
            switch try await events.next().get() {
            case .listening(let service, let port): ports[service] = port
            case .ready(let service): ready.insert(service)
            }
        }
        return ports
    }
}
