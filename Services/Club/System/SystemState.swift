import Kernel

/// What `club up` has started, as it writes it down for the other commands: `state.json` in the system's folder.
struct SystemState: Codable, Sendable, Equatable {
    /// One service that answers HTTP.
    struct RunningService: Codable, Sendable, Equatable {
        let name: String
        /// For people and for the other commands: `http://127.0.0.1:8080`.
        let url: String
        /// The process it runs in; the supervisor's when all run in one; nil while a separate one is being started.
        var process: ProcessIdentity?
    }

    /// The `club up` that runs or looks after the services.
    let supervisor: ProcessIdentity
    let startedAt: Timestamp
    /// Each service is a process of its own.
    let isSeparate: Bool
    var services: [RunningService]
    /// Where the partners of the demo answer; nil in a system without a demo.
    var simulator: String?

    /// Where a service answers, or the demo's partners as `partner_simulator`.
    func url(of service: ServiceName) throws -> String {
        if service.text == ServicePart.partners.rawValue, let simulator = self.simulator { return simulator }
        guard let found = self.services.first(where: { $0.name == service.text }) else {
            throw CommandFailure(.unavailable, "The service \(service.text) is not part of the running system.")
        }
        return found.url
    }
}
