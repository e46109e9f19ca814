internal import FoundationEssentials
internal import Subprocess
internal import SystemPackage

/// One of the project's executables as a process of its own, as in production.
public struct ServiceProcess: Sendable {
    /// How a process ended, and what it left on standard error.
    public struct End: Sendable {
        /// The exit code; nil when a signal killed it.
        public let exitCode: Int32?
        /// Everything it wrote to standard error: its logs and, when it failed, its sentence.
        public let errors: String
    }

    private let send: @Sendable (Int32) throws -> Void
    private let log: String

    /// Runs an executable from beside the test bundle until it ends by itself or the body returns; then it is told to stop
    /// by SIGTERM. When the body throws it is killed.
    /// - Parameters:
    ///   - name: for example "club-ledger".
    ///   - environment: all that the process sees beside PATH.
    public static func run(
        _ name: String, arguments: [String] = [], environment: [String: String] = [:],
        _ body: @Sendable (ServiceProcess) async throws -> Void = { _ in }
    ) async throws -> End {
        let log = "/tmp/club-test-\(UUID().uuidString).log"
        let descriptor = try FileDescriptor.open(
            FilePath(log), .writeOnly, options: [.create, .append], permissions: .ownerReadWrite)
        defer { try? FileManager.default.removeItem(atPath: log) }
        let variables = environment.merging(["PATH": "/usr/bin:/bin"], uniquingKeysWith: { own, _ in own })
        let result = try await Subprocess.run(
            .path(FilePath("\(try Self.folder)/\(name)")), arguments: Arguments(arguments),
            environment: .custom(Dictionary(uniqueKeysWithValues: variables.map { (.init(stringLiteral: $0), $1) })),
            workingDirectory: "/", input: .none, output: .discarded,
            error: .fileDescriptor(descriptor, closeAfterSpawningProcess: true)
        ) { execution in
            let process = ServiceProcess(
                send: { try execution.send(signal: .init(rawValue: $0)) }, log: log)
            do {
                try await body(process)
                // It may have ended by itself.
                try? execution.send(signal: .terminate)
            } catch {
                try? execution.send(signal: .kill)
                throw error
            }
        }
        let exitCode: Int32? =
            switch result.terminationStatus {
            case .exited(let code): code
            case .signaled: nil
            }
        return End(exitCode: exitCode, errors: try String(contentsOfFile: log, encoding: .utf8))
    }

    /// Sends a signal, by number.
    public func signal(_ number: Int32) throws {
        try self.send(number)
    }

    /// What it has written to standard error so far.
    public var errors: String {
        get throws { try String(contentsOfFile: self.log, encoding: .utf8) }
    }

    /// Waits until it has written something to standard error.
    public func wrote(_ text: String) async throws {
        try await eventually("the process wrote \(text)") { try self.errors.contains(text) }
    }

    /// Waits until a service of the process listens, and returns a client of it: for processes with one service.
    public func client() async throws -> HTTPTestClient {
        struct Line: Decodable {
            var message: String
            var metadata: [String: String]
        }
        let port = try await eventually("the process listens") { () async throws -> String? in
            for text in try self.errors.split(separator: "\n") where text.contains("\"Listening\"") {
                guard let line = try? JSONDecoder().decode(Line.self, from: Data(text.utf8)) else { continue }
                return line.metadata["port"]
            }
            return nil
        }
        return HTTPTestClient("http://127.0.0.1:\(port)")
    }

    /// Where the executables are: beside the test bundle.
    private static var folder: String {
        get throws {
            let bundle = try FileManager.default.destinationOfSymbolicLink(atPath: "/proc/self/exe")
            return String(bundle[..<(bundle.lastIndex(of: "/") ?? bundle.endIndex)])
        }
    }
}
