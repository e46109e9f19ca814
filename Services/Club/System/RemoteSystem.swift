import FoundationEssentials
import Host
import Kernel
import Postgres

/// A system that this command did not start, such as one of containers: where its database is, and where its services
/// answer. The environment says it; it goes before the system's folder, which then only holds secrets.
struct RemoteSystem: Sendable {
    /// A connection string of the database's owner.
    static let database = "CLUB_OPERATOR_DATABASE"
    /// The owner's password, unless the connection string has it.
    static let password = "CLUB_OPERATOR_DATABASE_PASSWORD"
    /// Where services answer, with `{service}` and `{port}` to be filled in.
    static let url = "CLUB_OPERATOR_URL"
    /// What each service's port is counted from.
    static let basePort = 8080

    let conninfo: String
    let secret: Secret?
    let pattern: String?

    /// nil when the environment names no database.
    /// - Throws: ``CommandFailure`` (78) for a file of the password that cannot be read.
    init?(environment: [String: String] = ProcessInfo.processInfo.environment) throws {
        func value(_ name: String) -> String? { environment[name].flatMap { $0.isEmpty ? nil : $0 } }
        guard let conninfo = value(Self.database) else { return nil }
        self.conninfo = conninfo
        self.pattern = value(Self.url)
        guard let path = value(Self.password + "_FILE") else {
            self.secret = value(Self.password).map { Secret($0) }
            return
        }
        guard let bytes = FileManager.default.contents(atPath: path) else {
            throw CommandFailure(.configuration, "\(Self.password)_FILE names \(path), which cannot be read.")
        }
        // Editors and `echo` end a file with a line feed, which is not part of the secret.
        self.secret = Secret(bytes.last == UInt8(ascii: "\n") ? Array(bytes.dropLast()) : Array(bytes))
    }

    /// A person waits, and some reports read much: more patience than a service has.
    var configuration: DatabaseConfiguration {
        DatabaseConfiguration(
            conninfo: self.conninfo, password: self.secret, applicationName: "club", pool: PoolLimits(size: 4),
            statementTimeout: .seconds(600))
    }

    /// Its services, as far as the environment says where they answer.
    func state() throws -> SystemState {
        guard let process = ProcessIdentity.current else {
            throw CommandFailure(.unavailable, "The system does not show this process in /proc.")
        }
        var services: [SystemState.RunningService] = []
        if let pattern {
            for (place, service) in ServicePlan.modules.map({ $0.name }).enumerated() {
                let url = pattern.replacing("{service}", with: ServicePlan.hyphenated(service))
                    .replacing("{port}", with: "\(Self.basePort + place)")
                services.append(SystemState.RunningService(name: service.text, url: url))
            }
        }
        return SystemState(
            supervisor: process, startedAt: SystemClock().now, isSeparate: true, services: services)
    }
}
