internal import FoundationEssentials
internal import Glibc
internal import Subprocess
internal import SystemPackage

/// Programs as an operator runs them: `club` itself, and shell scripts that call it.
public struct ClubShell: Sendable {
    /// What a finished program left behind.
    public struct Result: Sendable, CustomStringConvertible {
        /// The exit code; 128 and the signal's number when it was killed.
        public let code: Int32
        public let output: String
        public let errors: String

        public var description: String { "exit \(self.code)\n\(self.output)\n\(self.errors)" }
    }

    /// The folder with the programs that were built together with the tests.
    public static var programs: String {
        get throws {
            var buffer = [CChar](repeating: 0, count: Int(PATH_MAX))
            let count = readlink("/proc/self/exe", &buffer, buffer.count)
            guard count > 0 else { throw NeverHappened(description: "/proc does not show this program") }
            let path = String(decoding: buffer.prefix(count).map { UInt8(bitPattern: $0) }, as: UTF8.self)
            return path.lastIndex(of: "/").map { String(path[..<$0]) } ?? "."
        }
    }

    /// What the programs see of the system that the test is about.
    private let environment: [String: String]

    /// - Parameters:
    ///   - data: the system's folder, for CLUB_DATA.
    ///   - settings: of the services of a system that is started, by their names.
    public init(data: String, settings: [String: String] = [:]) {
        self.environment = settings.merging(["CLUB_DATA": data]) { $1 }
    }

    /// Runs `club` to its end.
    public func club(_ arguments: String...) async throws -> Result {
        try await self.run("\(Self.programs)/club", arguments)
    }

    /// Runs `club` to its end, without a limit on the number of arguments.
    public func club(_ arguments: [String]) async throws -> Result {
        try await self.run("\(Self.programs)/club", arguments)
    }

    /// Runs a program to its end; `club` is in its PATH.
    public func run(_ program: String, _ arguments: [String], in folder: String? = nil) async throws -> Result {
        let inherited = ProcessInfo.processInfo.environment
        var variables: [Environment.Key: String] = [:]
        for (name, value) in inherited where !name.hasPrefix("CLUB_") || name == "CLUB_POSTGRES_BIN" {
            if let key = Environment.Key(rawValue: name) { variables[key] = value }
        }
        variables["PATH"] = try "\(Self.programs):\(inherited["PATH"] ?? "/usr/bin:/bin")"
        for (name, value) in self.environment {
            if let key = Environment.Key(rawValue: name) { variables[key] = value }
        }
        let result = try await Subprocess.run(
            program.contains("/") ? .path(FilePath(program)) : .name(program), arguments: Arguments(arguments),
            environment: .custom(variables), workingDirectory: folder.map { FilePath($0) },
            input: .none, output: .string(limit: 16 << 20), error: .string(limit: 16 << 20))
        let code: Int32 =
            switch result.terminationStatus {
            case .exited(let code): code
            case .signaled(let signal): 128 + signal
            }
        return Result(code: code, output: result.standardOutput, errors: result.standardError)
    }
}
