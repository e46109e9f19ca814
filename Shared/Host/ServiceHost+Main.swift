internal import FoundationEssentials
internal import Glibc
internal import Kernel

extension ServiceHost {
    /// The whole of an executable: runs one service until it is told to stop, and ends the process.
    ///
    /// Exit codes (sysexits.h): 0 after a graceful stop, 64 for arguments, 78 for a setting, 70 for anything else; each but
    /// the first with one sentence on standard error. `--help` prints the settings.
    public static func main<Module: ServiceModule>(_ module: Module.Type) async -> Never {
        let program = "club-\(Module.name.text)"
        switch Array(CommandLine.arguments.dropFirst()) {
        case []: break
        case ["--help"], ["-h"]:
            Self.write("\(program) runs until SIGTERM. Settings are environment variables:\n", to: STDOUT_FILENO)
            Self.write(SettingsTable.text(for: [module]), to: STDOUT_FILENO)
            exit(0)
        default:
            Self.write("\(program) takes no arguments; --help lists its settings.\n", to: STDERR_FILENO)
            exit(64)
        }
        do {
            try await ServiceHost(modules: [module]).run()
            exit(0)
        } catch {
            Self.write("\(program): \(error)\n", to: STDERR_FILENO)
            exit(error is SettingsError ? 78 : 70)
        }
    }

    private static func write(_ text: String, to descriptor: Int32) {
        let bytes = Array(text.utf8)
        _ = Glibc.write(descriptor, bytes, bytes.count)
    }
}
