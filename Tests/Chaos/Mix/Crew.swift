import Glibc
import NIOConcurrencyHelpers

/// The worker processes: started, counted, stopped and killed.
final class Crew: Sendable {
    private struct Member {
        let pid: pid_t
        var isStopped = false
    }

    private let conninfo: String
    private let members = NIOLockedValueBox<[Member]>([])

    init(conninfo: String) {
        self.conninfo = conninfo
    }

    struct CannotStart: Error {}

    /// One more process: this program again.
    func hire() throws {
        let words: [String] = ["/proc/self/exe", "worker", self.conninfo]
        let arguments: [UnsafeMutablePointer<CChar>?] = words.map { strdup($0) } + [nil]
        defer { for argument in arguments { free(argument) } }
        var pid = pid_t()
        guard posix_spawn(&pid, "/proc/self/exe", nil, nil, arguments, environ) == 0 else { throw CannotStart() }
        self.members.withLockedValue { $0.append(Member(pid: pid)) }
    }

    /// Kills one of those that run; nil when none does.
    func killOne(_ choose: (Int) -> Int) -> pid_t? {
        self.members.withLockedValue { members in
            let running = members.indices.filter { !members[$0].isStopped }
            guard !running.isEmpty else { return nil }
            let pid = members[running[choose(running.count)]].pid
            kill(pid, SIGKILL)
            return pid
        }
    }

    /// Holds one process still, as a machine does that swaps; nil when none runs.
    func stopOne(_ choose: (Int) -> Int) -> pid_t? {
        self.members.withLockedValue { members in
            let running = members.indices.filter { !members[$0].isStopped }
            guard running.count > 1 else { return nil }
            let index = running[choose(running.count)]
            members[index].isStopped = true
            kill(members[index].pid, SIGSTOP)
            return members[index].pid
        }
    }

    func goOn(_ pid: pid_t) {
        self.members.withLockedValue { members in
            kill(pid, SIGCONT)
            for index in members.indices where members[index].pid == pid { members[index].isStopped = false }
        }
    }

    /// Hires for everybody who is gone.
    func replaceTheDead() {
        let gone = self.members.withLockedValue { members in
            let before = members.count
            members.removeAll { waitpid($0.pid, nil, WNOHANG) != 0 }
            return before - members.count
        }
        for _ in 0..<gone { try? self.hire() }
    }

    /// Stops everybody in good order.
    func dismiss() {
        let members = self.members.withLockedValue { members in
            defer { members = [] }
            return members
        }
        for member in members {
            kill(member.pid, SIGCONT)
            kill(member.pid, SIGTERM)
        }
        for member in members { waitpid(member.pid, nil, 0) }
    }
}
