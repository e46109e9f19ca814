internal import FoundationEssentials
internal import Glibc
internal import Kernel

extension ServiceHost {
    /// The whole of an executable: runs one service until it is told to stop, and ends the process.
    ///
    /// Exit codes (sysexits.h): 0 after a graceful stop, 64 for arguments, 78 for a setting, 70 for anything else; each but
    /// the first with one sentence on standard error. `--help` prints the settings. `--health` starts nothing: it asks the
    /// service that runs on this machine with the same settings, and ends with 0 when that one is ready, else with 1.
    public static func main<Module: ServiceModule>(_ module: Module.Type) async -> Never {
        let program = "club-\(Module.name.text)"
        switch Array(CommandLine.arguments.dropFirst()) {
        case []: break
        case ["--help"], ["-h"]:
            Self.write("\(program) runs until SIGTERM. Settings are environment variables:\n", to: STDOUT_FILENO)
            Self.write(SettingsTable.text(for: [module]), to: STDOUT_FILENO)
            exit(0)
        case ["--health"]:
            await Self.end(as: program) { try Self.isReady(module) ? 0 : 1 }
        default:
            Self.write("\(program) takes no arguments but --health; --help lists its settings.\n", to: STDERR_FILENO)
            exit(64)
        }
        await Self.end(as: program) {
            try await ServiceHost(modules: [module]).run()
            return 0
        }
    }

    /// Ends the process with the code that the body says, or with the one that its error means.
    private static func end(as program: String, _ body: () async throws -> Int32) async -> Never {
        do {
            exit(try await body())
        } catch {
            Self.write("\(program): \(error)\n", to: STDERR_FILENO)
            exit(error is SettingsError ? 78 : 70)
        }
    }

    private static func isReady<Module: ServiceModule>(_ module: Module.Type) throws -> Bool {
        let settings = try Settings(
            HostSettings.declared(for: [module]),
            from: SettingsSources(environment: ProcessInfo.processInfo.environment))
        let port = try settings.port(of: module.name)
        guard port > 0 else { throw SettingsError("CLUB_PORT is 0, so nobody knows which port to ask.") }
        return HealthProbe(bind: try settings.text(HostSettings.bind), port: port)()
    }

    private static func write(_ text: String, to descriptor: Int32) {
        let bytes = Array(text.utf8)
        _ = Glibc.write(descriptor, bytes, bytes.count)
    }
}
