public import ArgumentParser
import EmbeddedPostgres
import Glibc
import Host
import JobQueue
import Logging
import Postgres

/// `club`: the operator's command.
public struct ClubCommand: AsyncParsableCommand {
    public static let configuration = CommandConfiguration(
        commandName: "club",
        abstract: "Run and look after the supermarket's loyalty programme.",
        discussion: """
            A system lives in a folder: --data DIR, else the environment's CLUB_DATA, else .club in the current folder. \
            `club up` starts it there, and every other command finds it there. A system that was started otherwise is \
            found by CLUB_OPERATOR_DATABASE (a connection string of the database's owner), \
            CLUB_OPERATOR_DATABASE_PASSWORD[_FILE] and CLUB_OPERATOR_URL (such as http://{service}:{port}).

            Exit codes: \(Self.exitCodes).
            """,
        subcommands: [
            UpCommand.self, DownCommand.self, StatusCommand.self, URLCommand.self, MigrateCommand.self,
            DemoCommand.self, ReplayCommand.self, ImportCommand.self, SMSCommand.self, MailCommand.self,
            TillKeyCommand.self, StaffCommand.self, QueueCommand.self, LedgerCommand.self, BenchCommand.self,
        ])

    public init() {}

    private static var exitCodes: String {
        let meanings = CommandFailure.Code.allCases.map { "\($0.rawValue) \($0.meaning)" }
        return (["0 done"] + meanings).joined(separator: "; ")
    }

    /// Runs what the process's arguments say and ends the process with the code that tells how it went. Called by the
    /// name of a service's program, such as `club-auth`, it is that program.
    @concurrent
    public static func runToExit() async -> Never {
        if let module = CommandLine.arguments.first.flatMap(ServicePlan.module(called:)) {
            await ServiceHost.main(module)
        }
        // A reader that goes away early ends the output, not the command.
        signal(SIGPIPE, SIG_IGN)
        do {
            // What happens on the way is told by the command itself, not by logs between its lines.
            try await withLogger(Logger(label: "club", factory: { _ in SwiftLogNoOpLogHandler() })) { _ in
                var command = try Self.parseAsRoot()
                if var command = command as? any AsyncParsableCommand {
                    try await command.run()
                } else {
                    try command.run()
                }
            }
            Self.exit()
        } catch {
            guard let failure = Self.failure(for: error) else { Self.exit(withError: error) }
            Output.note("club: \(failure)")
            Glibc.exit(failure.code.rawValue)
        }
    }

    /// What an error of a command means for its caller; nil for the parser's own, which knows its codes and texts.
    static func failure(for error: any Error) -> CommandFailure? {
        switch error {
        case let failure as CommandFailure: return failure
        case let error as SettingsError: return CommandFailure(.configuration, error.description)
        case let error as HostError: return CommandFailure(.unavailable, error.description)
        case let error as EmbeddedPostgresError: return CommandFailure(.unavailable, error.description)
        case let error as DatabaseError:
            return CommandFailure(error.isRetryable ? .unavailable : .software, "\(error)")
        case let error as CallError: return CommandFailure(.unavailable, "A service does not answer: \(error).")
        case is ValidationError, is CleanExit, is ExitCode: return nil
        case is CancellationError: return CommandFailure(.software, "Interrupted.")
        default:
            // Errors of the parser have no public type; they know an exit code of their own.
            let code = Self.exitCode(for: error)
            return code == .failure ? CommandFailure(.software, "\(error)") : nil
        }
    }
}
