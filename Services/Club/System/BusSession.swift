import JobQueue
import Kernel
import Postgres

/// The bus as the operator's command sees it: it asks other services, and nobody sends anything to it.
enum BusSession {
    /// Has a bus for as long as the body runs.
    static func run<R>(_ session: OperatorSession, _ body: (Bus) async throws -> R) async throws -> R {
        let listener = Listener(session.database.configuration, reactor: session.reactor, logger: session.logger)
        let bus = Bus(
            service: "club", database: session.database, listener: listener,
            keyring: try SystemSecrets(session.folder).queueKeys(), logger: session.logger)
        // Fetches the answers of calls; it has no queue of its own.
        let worker = Worker(bus: bus, queues: [], handlers: [])
        let result = await withTaskGroup(of: Void.self) { group -> Result<R, any Error> in
            group.addTask {
                // Calls notice by themselves when their answers stay away.
                try? await worker.run()
            }
            defer { group.cancelAll() }
            do {
                return .success(try await body(bus))
            } catch {
                return .failure(error)
            }
        }
        await listener.shutdown()
        return try result.get()
    }
}
