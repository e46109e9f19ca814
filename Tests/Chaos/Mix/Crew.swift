import EmbeddedPostgres
import Glibc
import NIOConcurrencyHelpers

/// The worker processes: started, counted, stopped, cut off and killed.
final class Crew: Sendable {
    private struct Member {
        let pid: pid_t
        let relay: Relay
        let clock: SteppedClock?
        /// Held still or cut off.
        var isStopped = false
    }

    private let server: EmbeddedPostgres
    private let folder: String
    private let members = NIOLockedValueBox<[Member]>([])
    private let hired = NIOLockedValueBox(0)

    /// - Parameter folder: for the files of their clocks.
    init(server: EmbeddedPostgres, folder: String) {
        self.server = server
        self.folder = folder
    }

    /// One more process: this program again, with a network and a clock of its own.
    func hire() throws {
        let number = self.hired.withLockedValue { number in
            number += 1
            return number
        }
        let relay = try Relay(to: self.server.port)
        let clock = SteppedClock("worker-\(number)", in: self.folder)
        // Of two equal keywords libpq takes the last.
        let conninfo = "\(self.server.conninfo) host=127.0.0.1 port=\(relay.port)"
        do {
            let pid = try Program.spawn(
                ["/proc/self/exe", "worker", conninfo], adding: clock?.variables ?? [:])
            self.members.withLockedValue { $0.append(Member(pid: pid, relay: relay, clock: clock)) }
        } catch {
            relay.close()
            throw error
        }
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

    /// Holds one process still, as a machine does that swaps; nil when no other runs.
    func stopOne(_ choose: (Int) -> Int) -> pid_t? {
        self.take(choose) { kill($0.pid, SIGSTOP) }?.pid
    }

    func goOn(_ pid: pid_t) {
        self.giveBack(pid) { kill($0.pid, SIGCONT) }
    }

    /// Cuts one process off from the server without a word to either; nil when no other runs.
    func silenceOne(_ choose: (Int) -> Int) -> pid_t? {
        self.take(choose) { $0.relay.fallSilent() }?.pid
    }

    /// - Parameter forgetting: whether the connections are lost.
    func speak(_ pid: pid_t, forgetting: Bool) {
        self.giveBack(pid) { $0.relay.speak(forgetting: forgetting) }
    }

    /// Sets the clock of one process, and not its clock that only goes on.
    /// - Returns: whether there was one.
    func setClock(to offset: Duration, _ choose: (Int) -> Int) -> Bool {
        self.members.withLockedValue { members in
            guard !members.isEmpty, let clock = members[choose(members.count)].clock else { return false }
            clock.set(to: offset)
            return true
        }
    }

    private func take(_ choose: (Int) -> Int, _ body: (Member) -> Void) -> Member? {
        self.members.withLockedValue { members in
            let running = members.indices.filter { !members[$0].isStopped }
            guard running.count > 1 else { return nil }
            let index = running[choose(running.count)]
            members[index].isStopped = true
            body(members[index])
            return members[index]
        }
    }

    private func giveBack(_ pid: pid_t, _ body: (Member) -> Void) {
        self.members.withLockedValue { members in
            for index in members.indices where members[index].pid == pid {
                body(members[index])
                members[index].isStopped = false
            }
        }
    }

    /// Hires for everybody who is gone.
    func replaceTheDead() {
        let gone = self.members.withLockedValue { members in
            let gone = members.filter { waitpid($0.pid, nil, WNOHANG) != 0 }
            members.removeAll { member in gone.contains { $0.pid == member.pid } }
            return gone
        }
        for member in gone {
            Self.clear(member)
            try? self.hire()
        }
    }

    private static func clear(_ member: Member) {
        member.relay.close()
        member.clock?.remove()
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
        for member in members {
            waitpid(member.pid, nil, 0)
            Self.clear(member)
        }
    }
}
