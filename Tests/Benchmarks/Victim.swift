import ArgumentParser
import JobQueue
import Kernel
import Logging
import Postgres

/// A worker that takes a job, says so with one byte on stdout, and never finishes: for the rescue benchmark to kill.
struct Victim: AsyncParsableCommand {
    enum Kind: String, CaseIterable, ExpressibleByArgument {
        /// The claim is held by the open transaction.
        case batch
        /// The claim is a lease.
        case transactional

        func handler(_ begun: @escaping @Sendable () async -> Void) -> Handler {
            switch self {
            case .batch: .batch(NoOp.self) { _, _ in await begun() }
            case .transactional: .transactional(NoOp.self) { _, _, _ in await begun() }
            }
        }
    }

    struct Failed: Error, CustomStringConvertible {
        let description: String
    }

    static let configuration = CommandConfiguration(
        abstract: "Take one job and never finish it (used by the rescue case).", shouldDisplay: false)

    @Argument var kind: Kind
    @Argument var conninfo: String

    func run() async throws {
        let reactor = try Reactor()
        let logger = Logger(label: "victim") { _ in SwiftLogNoOpLogHandler() }
        let bench = BenchBus(conninfo: self.conninfo, reactor: reactor, logger: logger, pool: 4)
        try await bench.working([
            self.kind.handler {
                Report.say("!")
                try? await Task.sleep(for: .seconds(600))
            }
        ]) {
            try await Task.sleep(for: .seconds(600))
        }
    }
}
