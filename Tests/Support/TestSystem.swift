internal import FoundationEssentials
internal import Glibc

/// A whole system, started by `club up --detach` in a folder of its own and stopped after the test.
public struct TestSystem: Sendable {
    /// The system's folder.
    public let folder: String
    /// Runs commands about it.
    public let shell: ClubShell

    /// How many run at a time: each is a server and seven services, and the tests share the machine.
    private static let gate = Gate(width: 3)

    /// Has a system for as long as the body runs.
    /// - Parameters:
    ///   - isSeparate: each service is a process of its own.
    ///   - isDemo: with the demo's data.
    ///   - settings: of the services, in the environment.
    /// - Throws: ``NeverHappened`` when it does not start, and what the body throws.
    public static func run<R>(
        separate isSeparate: Bool = false, demo isDemo: Bool = false, settings: [String: String] = [:],
        _ body: (TestSystem) async throws -> R
    ) async throws -> R {
        let own = BusyMachine.settings.merging(settings, uniquingKeysWith: { $1 })
        return try await Self.gate.pass {
            try await Self.run((isSeparate ? ["--separate"] : []) + (isDemo ? ["--demo"] : []), own, body)
        }
    }

    private static func run<R>(
        _ flags: [String], _ settings: [String: String], _ body: (TestSystem) async throws -> R
    ) async throws -> R {
        let folder =
            "/tmp/club-system-\(ProcessInfo.processInfo.processIdentifier)-\(UInt32.random(in: 0...UInt32.max))"
        let system = TestSystem(folder: folder, shell: ClubShell(data: folder, settings: settings))
        try await system.up(flags)
        let result: Result<R, any Error>
        do {
            result = .success(try await body(system))
        } catch {
            result = .failure(error)
        }
        _ = try await system.shell.club("down")
        try FileManager.default.removeItem(atPath: folder)
        return try result.get()
    }

    /// Starts it; a port that another process has taken since it was found free makes another try.
    private func up(_ flags: [String]) async throws {
        while true {
            let result = try await self.shell.club(["up", "--detach", "--port", "\(try Self.freePorts())"] + flags)
            if result.code == 0 { return }
            guard ["is taken", "cannot listen"].contains(where: result.errors.contains) else {
                throw NeverHappened(description: "club up: \(result)")
            }
        }
    }

    /// Each service has one, and the partners of a demo.
    private static let portCount = 8

    /// The first of as many free ports next to each other as a system takes, below those that the kernel hands out.
    public static func freePorts() throws -> Int {
        for _ in 0..<100 {
            let first = Int.random(in: 2300...4000) * Self.portCount
            if (first..<first + Self.portCount).allSatisfy(Self.isFree) { return first }
        }
        throw NeverHappened(description: "free ports next to each other")
    }

    /// The processes that a system has: those that its folder is said to, by argument or environment.
    public static func processes(of folder: String) throws -> [Int32] {
        try FileManager.default.contentsOfDirectory(atPath: "/proc").compactMap { Int32($0) }.filter { number in
            // A process may end while it is looked at.
            ["cmdline", "environ"].contains { file in
                FileManager.default.contents(atPath: "/proc/\(number)/\(file)")?.firstRange(of: Data(folder.utf8))
                    != nil
            }
        }
    }

    private static func isFree(_ port: Int) -> Bool {
        let descriptor = socket(AF_INET, Int32(SOCK_STREAM.rawValue), 0)
        guard descriptor >= 0 else { return false }
        defer { close(descriptor) }
        var address = sockaddr_in()
        address.sin_family = sa_family_t(AF_INET)
        address.sin_port = in_port_t(port).bigEndian
        address.sin_addr.s_addr = in_addr_t(0x7f00_0001).bigEndian
        return withUnsafePointer(to: &address) { pointer in
            pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                bind(descriptor, $0, socklen_t(MemoryLayout<sockaddr_in>.size)) == 0
            }
        }
    }
}
