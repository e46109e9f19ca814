import FoundationEssentials
import Glibc

/// A process that cannot be mistaken for another: its number, and when the kernel started it, since numbers come again.
struct ProcessIdentity: Codable, Hashable, Sendable {
    let pid: Int32
    /// Clock ticks after the machine's start: field 22 of /proc/PID/stat, proc(5).
    let startedAtTicks: UInt64

    /// The process of that number; nil when there is none, or only its remains.
    init?(pid: Int32) {
        guard let bytes = FileManager.default.contents(atPath: "/proc/\(pid)/stat"),
            let ticks = Self.startTicks(inStat: String(decoding: bytes, as: UTF8.self))
        else { return nil }
        self.pid = pid
        self.startedAtTicks = ticks
    }

    /// This process.
    static var current: ProcessIdentity? { ProcessIdentity(pid: getpid()) }

    /// Whether the process still lives.
    var isAlive: Bool { ProcessIdentity(pid: self.pid) == self }

    /// Sends a signal, unless the process is gone.
    func signal(_ signal: Int32) {
        if self.isAlive { kill(self.pid, signal) }
    }

    /// Waits until the process is gone.
    /// - Returns: whether it went in time.
    func waitForEnd(within limit: Duration) async throws -> Bool {
        let deadline = ContinuousClock.now + limit
        while self.isAlive {
            guard ContinuousClock.now < deadline else { return false }
            try await Task.sleep(for: .milliseconds(20))
        }
        return true
    }

    /// Asks the process to end, and ends it when it has not after `patience`.
    func stop(patience: Duration) async throws {
        self.signal(SIGTERM)
        if try await self.waitForEnd(within: patience) { return }
        self.signal(SIGKILL)
        _ = try await self.waitForEnd(within: .seconds(5))
    }

    /// The fields follow the command's name, which stands in parentheses and may contain anything.
    static func startTicks(inStat text: String) -> UInt64? {
        guard let end = text.lastIndex(of: ")") else { return nil }
        let fields = text[text.index(after: end)...].split(separator: " ")
        // The first of these is field 3, the state; a zombie is no longer a process that anybody could talk to.
        guard fields.count > 19, fields[0] != "Z", fields[0] != "X" else { return nil }
        return UInt64(fields[19])
    }
}
