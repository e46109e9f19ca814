import FoundationEssentials
import Subprocess

#if canImport(System)
    import System
#else
    import SystemPackage
#endif

/// pgbench, PostgreSQL's own load generator: the raw limit of the same server in the same minute.
struct PgBench: Sendable {
    /// The folder of the server's programs.
    let binaries: String
    /// libpq keywords of the database to load.
    let conninfo: String

    struct Failed: Error, CustomStringConvertible {
        let description: String
    }

    /// Transactions a second, connection times left out.
    /// - Parameter script: what each client repeats, in pgbench's language; nil runs the built-in `arguments` ask for.
    func transactionsPerSecond(
        script: String? = nil, clients: Int, seconds: Int, arguments: [String] = []
    ) async throws -> Double {
        let output = try await self.run(script: script, clients: clients, arguments + ["-T", "\(seconds)"])
        return try Self.rate(output)
    }

    /// What pgbench says of its own rate.
    static func rate(_ output: String) throws -> Double {
        guard
            let line = output.split(separator: "\n").first(where: { $0.hasPrefix("tps = ") }),
            let number = line.dropFirst(6).split(separator: " ").first, let rate = Double(number)
        else { throw Failed(description: "pgbench printed no tps: \(output.suffix(300))") }
        return rate
    }

    /// Lets each client repeat `script` a fixed number of times.
    func transactions(script: String, clients: Int, each: Int) async throws {
        _ = try await self.run(script: script, clients: clients, ["-t", "\(each)"])
    }

    /// Makes pgbench's own tables at `scale` (100,000 accounts each).
    func initialise(scale: Int) async throws {
        _ = try await self.run("pgbench", ["-i", "-q", "-s", "\(scale)", self.conninfo])
    }

    /// Runs a command of psql, such as `\\copy`.
    func psql(_ command: String) async throws {
        _ = try await self.run("psql", ["-XqAt", "-v", "ON_ERROR_STOP=1", "-d", self.conninfo, "-c", command])
    }

    func run(script: String?, clients: Int, _ arguments: [String]) async throws -> String {
        var all = ["-n", "-M", "prepared", "-c", "\(clients)", "-j", "2"] + arguments
        let file = "/tmp/club-pgbench-\(UUID().uuidString).sql"
        if let script {
            try script.write(toFile: file, atomically: true, encoding: .utf8)
            all += ["-f", file]
        }
        defer { if script != nil { try? FileManager.default.removeItem(atPath: file) } }
        return try await self.run("pgbench", all + [self.conninfo])
    }

    private func run(_ name: String, _ arguments: [String]) async throws -> String {
        let result = try await Subprocess.run(
            .path(FilePath(try self.program(name))), arguments: Arguments(arguments),
            output: .string(limit: 1 << 20), error: .string(limit: 1 << 20))
        guard case .exited(0) = result.terminationStatus else {
            throw Failed(description: "\(name) \(arguments): \(result.standardError.suffix(400))")
        }
        return result.standardOutput
    }

    /// The server's own client program, else one of any version.
    private func program(_ name: String) throws -> String {
        let installed = "/usr/lib/postgresql"
        let versions = (try? FileManager.default.contentsOfDirectory(atPath: installed)) ?? []
        let folders = [self.binaries] + versions.sorted().reversed().map { "\(installed)/\($0)/bin" } + ["/usr/bin"]
        for folder in folders where FileManager.default.isExecutableFile(atPath: "\(folder)/\(name)") {
            return "\(folder)/\(name)"
        }
        throw Failed(description: "there is no \(name): install PostgreSQL's client programs")
    }
}
