internal import JobQueue
internal import Kernel
internal import Logging
internal import Postgres

/// The settings that every process of the house has.
enum HostSettings {
    static let database = Setting.text(
        "CLUB_DATABASE", default: "host=127.0.0.1 port=5432 dbname=club",
        meaning: "where PostgreSQL is, as a connection string of libpq (hosts, port, database, TLS; no user)")
    static let pool = Setting.integer(
        "CLUB_DATABASE_POOL", default: 8, in: 3...200,
        meaning: "how many connections each service may have for its work")
    static let bind = Setting.text(
        "CLUB_BIND", default: "127.0.0.1", meaning: "the address that the services listen on")
    static let port = Setting.integer(
        "CLUB_PORT", default: 8080, in: 0...65_000,
        meaning:
            "the base port: auth listens there, the others above it in the order of the README; 0 lets the system choose"
    )
    static let logLevel = Setting.choice(
        "CLUB_LOG_LEVEL", among: Logger.Level.allCases.map(\.rawValue), default: "info",
        meaning: "the least important level that is logged")
    static let stopTime = Setting.duration(
        "CLUB_STOP_TIME", default: .seconds(20), in: .seconds(1) ... .seconds(600),
        meaning: "how long a graceful stop may take before what still runs is cancelled")

    static let queueKeys = Setting.optionalSecret(
        "CLUB_QUEUE_KEYS",
        meaning: "the keys of encrypted queues as name:base64, with commas between them, the newest first")
    static let queueListen = Setting.choice(
        "CLUB_QUEUE_LISTEN", among: ["on", "off"], default: "on",
        meaning: "whether jobs are heard of by notifications; off for databases behind a pooler of transactions")

    static let callPatience = Setting.duration(
        "CLUB_CALL_PATIENCE", default: .seconds(5), in: .seconds(1) ... .seconds(600),
        meaning: "how long a service waits for another's answer before it tells its caller to come again")

    static let traceEndpoint = Setting.text(
        "CLUB_OTLP_ENDPOINT",
        meaning: "the collector that traces go to by OTLP over HTTP, such as http://collector:4318; none: no traces")
    static let tracePercent = Setting.integer(
        "CLUB_OTLP_PERCENT", default: 100, in: 1...100,
        meaning: "how many of a hundred traces that begin here are recorded; a caller's decision is followed")

    static let all = [
        database, pool, bind, port, logLevel, stopTime, queueKeys, queueListen, callPatience, traceEndpoint,
        tracePercent,
    ]

    /// The password of a service's database role.
    static func password(of service: ServiceName) -> Setting {
        .optionalSecret(
            ServiceCatalogue.prefix(of: service) + "DATABASE_PASSWORD",
            meaning: "the password of the database role \(service.role)")
    }

    /// Everything that a process with these services knows.
    static func declared(for modules: [any ServiceModule.Type]) -> [Setting] {
        Self.all + modules.flatMap { [Self.password(of: $0.name)] + $0.settings }
    }
}

extension Settings {
    /// How a service connects.
    func databaseConfiguration(of service: ServiceName, instance: String) throws -> DatabaseConfiguration {
        var configuration = DatabaseConfiguration(
            conninfo: try self.text(HostSettings.database), user: service.role,
            password: try self.optionalSecret(HostSettings.password(of: service)),
            // PostgreSQL cuts names after 63 bytes.
            applicationName: String("club-\(service.text) \(instance)".prefix(63)),
            pool: PoolLimits(size: try self.integer(HostSettings.pool)))
        configuration.preparesStatements = try self.listening() == .bells
        return configuration
    }

    /// How the bus hears of jobs.
    func listening() throws -> Listening {
        try self.text(HostSettings.queueListen) == "on" ? .bells : .pollOnly
    }

    /// The keys of encrypted queues; nil when there are none.
    /// - Throws: ``SettingsError``
    func queueKeys() throws -> Keyring? {
        guard let text = try self.optionalSecret(HostSettings.queueKeys) else { return nil }
        do {
            return try Keyring(text)
        } catch {
            throw SettingsError("\(HostSettings.queueKeys.name) cannot be used: \(error).")
        }
    }

    /// Where traces go; nil when nowhere.
    /// - Throws: ``SettingsError``
    func traceEndpoint() throws -> String? {
        guard let endpoint = try self.optionalText(HostSettings.traceEndpoint) else { return nil }
        guard endpoint.hasPrefix("http://") || endpoint.hasPrefix("https://") else {
            throw SettingsError("\(HostSettings.traceEndpoint.name) must begin with http:// or https://.")
        }
        return endpoint
    }

    /// The port of a service; 0 when the system chooses.
    func port(of service: ServiceName) throws -> Int {
        let base = try self.integer(HostSettings.port)
        return base == 0 ? 0 : base + ServiceCatalogue.portOffset(of: service)
    }
}

/// All settings as a table for people: what `--help` shows and what the documentation is made of.
public enum SettingsTable {
    /// Name, default and meaning of what a process with these services knows, a paragraph each.
    public static func text(for modules: [any ServiceModule.Type]) -> String {
        HostSettings.declared(for: modules).map { setting in
            let name = setting.isSecret ? "\(setting.name)[_FILE]" : setting.name
            let fallback = setting.fallback.map { "default \($0)" } ?? (setting.isRequired ? "required" : "optional")
            return "  \(name)  (\(fallback))\n      \(setting.meaning): \(setting.allowed)\n"
        }.joined()
    }
}
